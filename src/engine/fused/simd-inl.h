// What every kernel is written in. Included once a SIMD target (Highway's foreach_target).
#if defined(MNIST_DIST_FUSED_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_SIMD_INL_H
#undef MNIST_DIST_FUSED_SIMD_INL_H
#else
#define MNIST_DIST_FUSED_SIMD_INL_H
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "engine/fused/buffer.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A vector holds the same element of kLanes images: no lane is wasted, whatever a layer's width, and no kernel moves data between lanes.
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D d{};
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64;  // 32, not 16

/// Bytes of a mask with one bit a lane.
constexpr int kMaskBytes = (kLanes + 7) / 8;
constexpr std::size_t kMaskSlack = 32;  // LoadMaskBits may read 8 bytes, a block of eight draws may write past the last element

HWY_INLINE V load(const float* p) { return hn::Load(d, p); }
HWY_INLINE void store(V v, float* p) { hn::Store(v, d, p); }
HWY_INLINE V broadcast(float value) { return hn::Set(d, value); }
HWY_INLINE V add(V a, V b) { return hn::Add(a, b); }

/// NaN stays NaN; Max(v, 0) would hide it.
HWY_INLINE V relu(V v) { return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Zero(d), v); }

/// `count` things in the fewest parts of at most `most`, as even as possible: part `index` begins here.
constexpr int part_count(int count, int most) { return (count + most - 1) / most; }
constexpr int part_begin(int index, int parts, int count) { return index * count / parts; }

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
