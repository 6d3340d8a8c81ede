# Rejects compiler and linker options that change results, at configure time. CXXFLAGS, CFLAGS,
# CUDAFLAGS and LDFLAGS may come unnoticed from the environment of a site or a package manager. So
# may options behind the compiler's name in CXX or CC (CMAKE_<LANG>_COMPILER_ARG1).
# src/base/exact_math.h rejects them again in every file.
set(inexact
  -Ofast -f[a-z-]*fast-math -ffinite-math-only -funsafe-math-optimizations -fassociative-math
  "-fdenormal-fp-math(-f32)?=[a-z,-]*(preserve-sign|positive-zero|dynamic)[a-z,-]*"
  -freciprocal-math -fno-signed-zeros -fsingle-precision-constant -fapprox-func -ffp-model=[a-z]+
  "-fp-model[= ]fast[=0-9]*" -mdaz-ftz -mrecip
  --?use_fast_math "--?ftz[= ]true" "--?prec-div[= ]false" "--?prec-sqrt[= ]false")
list(JOIN inexact "|" inexact)
string(TOUPPER "${CMAKE_BUILD_TYPE}" configuration)
foreach(variable
    CMAKE_CXX_FLAGS CMAKE_CXX_FLAGS_${configuration} CMAKE_C_FLAGS CMAKE_C_FLAGS_${configuration}
    CMAKE_CUDA_FLAGS CMAKE_CUDA_FLAGS_${configuration}
    CMAKE_EXE_LINKER_FLAGS CMAKE_SHARED_LINKER_FLAGS CMAKE_MODULE_LINKER_FLAGS
    CMAKE_CXX_COMPILER_ARG1 CMAKE_C_COMPILER_ARG1 CMAKE_CUDA_COMPILER_ARG1
    ENV{CUDAFLAGS} ENV{NVCC_PREPEND_FLAGS} ENV{NVCC_APPEND_FLAGS})
  if(variable MATCHES "^ENV{(.*)}$")
    set(flags "$ENV{${CMAKE_MATCH_1}}")
  else()
    set(flags "${${variable}}")
  endif()
  string(REGEX REPLACE "[ ,;=]-fno-fast-math" " " flags " ${flags} ")
  if(flags MATCHES "[ ,;=\"'](${inexact})[ ,;\"']")
    message(FATAL_ERROR "${variable}: ${CMAKE_MATCH_1} changes results and hides divergence "
      "(expected: IEEE 754 arithmetic). Remove it from CXX, CC, CXXFLAGS, CFLAGS, CUDAFLAGS or "
      "LDFLAGS, and configure a new build folder.")
  endif()
endforeach()
