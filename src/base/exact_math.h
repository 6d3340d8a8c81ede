// Included first by every file of ours (cmake/MnistDistTargets.cmake): rejects compiler options
// that change results. It holds only preprocessor lines, so that a precompiled header may follow.
// nvcc's own fast-math options define no macro: cmake/ExactMath.cmake rejects those.
#pragma once
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    defined(__NO_SIGNED_ZEROS__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "mnist-dist: -ffast-math or a part of it changes results: remove it from CXXFLAGS"
// GCC's word for "not IEEE 754". It covers options without a macro: -fsingle-precision-constant.
#elif defined(__GNUC__) && !defined(__clang__) && defined(__GCC_IEC_559) && __GCC_IEC_559 == 0
#error "mnist-dist: an option gives up IEEE 754, which changes results: remove it from CXXFLAGS"
#elif defined(__FLT_EVAL_METHOD__) && \
    (__FLT_EVAL_METHOD__ < 0 || __FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "mnist-dist: floats in a different precision change results: compile with -mfpmath=sse"
#endif
