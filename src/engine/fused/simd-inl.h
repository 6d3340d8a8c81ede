// Vector types and operations of all kernels. Included once per SIMD target (Highway's
// foreach_target).
#if defined(MNIST_DIST_FUSED_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_SIMD_INL_H
#undef MNIST_DIST_FUSED_SIMD_INL_H
#else
#define MNIST_DIST_FUSED_SIMD_INL_H
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/fused/buffer.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A vector holds the same element of kLanes images: no lane is wasted, for any width of a layer,
// and no kernel moves data between lanes.
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D d{};
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

// Where images meet in a sum, image i of a slice belongs to lane i % kSumLanes
// (docs/arithmetic.md). Narrower vectors hold a part of those lanes: lane block g, kLanes
// images, is of part g % kParts.
constexpr int kSumLanes = 16;
constexpr int kParts = kSumLanes / kLanes;
static_assert(kParts * kLanes == kSumLanes);
constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64;  // 32, not 16

/// Bytes of a mask with one bit per lane.
constexpr int kMaskBytes = (kLanes + 7) / 8;
constexpr std::size_t kMaskSlack =
    32;  // LoadMaskBits may read 8 bytes, a block of eight draws may write past the last element

HWY_INLINE V load(const float* p) { return hn::Load(d, p); }
HWY_INLINE void store(V v, float* p) { hn::Store(v, d, p); }
HWY_INLINE V broadcast(float value) { return hn::Set(d, value); }
HWY_INLINE V add(V a, V b) { return hn::Add(a, b); }

#if HWY_NATIVE_FMA

/// a * b + c, rounded once.
HWY_INLINE V mul_add(V a, V b, V c) { return hn::MulAdd(a, b, c); }
/// c - a * b, rounded once.
HWY_INLINE V neg_mul_add(V a, V b, V c) { return hn::NegMulAdd(a, b, c); }

#elif HWY_TARGET == HWY_SCALAR

HWY_INLINE V mul_add(V a, V b, V c) {
  return broadcast(std::fma(hn::GetLane(a), hn::GetLane(b), hn::GetLane(c)));
}
HWY_INLINE V neg_mul_add(V a, V b, V c) { return mul_add(hn::Neg(a), b, c); }

#else

/// Lane by lane, for the few sums that mul_add cannot round.
inline HWY_NOINLINE V mul_add_lanes(V a, V b, V c) {
  HWY_ALIGN float as[kLanes], bs[kLanes], cs[kLanes];
  store(a, as), store(b, bs), store(c, cs);
  for (int i = 0; i < kLanes; ++i) cs[i] = std::fma(as[i], bs[i], cs[i]);
  return load(cs);
}

/// a * b + c, rounded once, on CPUs without such an instruction. A product of two floats is exact
/// in double and the sum is rounded there first. Rounding it again differs from
/// rounding once only where the first rounding ended halfway between two floats, or where the
/// result is below the normal numbers.
HWY_INLINE V mul_add(V a, V b, V c) {
  const hn::Half<D> half;
  const hn::Repartition<double, D> f64;
  const hn::Repartition<std::int32_t, D> i32;
  const auto sum_of = [&](auto a_half, auto b_half, auto c_half) HWY_ATTR {
    return hn::Add(hn::Mul(hn::PromoteTo(f64, a_half), hn::PromoteTo(f64, b_half)),
                   hn::PromoteTo(f64, c_half));
  };
  const auto lower = sum_of(hn::LowerHalf(half, a), hn::LowerHalf(half, b), hn::LowerHalf(half, c));
  const auto upper = sum_of(hn::UpperHalf(half, a), hn::UpperHalf(half, b), hn::UpperHalf(half, c));
  const auto lower_words = hn::BitCast(i32, lower), upper_words = hn::BitCast(i32, upper);
  const auto low = hn::ConcatEven(i32, upper_words, lower_words);
  const auto high = hn::ConcatOdd(i32, upper_words, lower_words);
  const auto positive = hn::Set(i32, 0x7fffffff);
  const auto halfway = hn::Eq(hn::And(low, hn::Set(i32, 0x1fffffff)),
                              hn::Set(i32, 0x10000000));  // the 29 bits that a float does not have
  // 0 becomes the largest number: it is exact.
  const auto tiny = hn::Lt(hn::And(hn::Sub(hn::And(high, positive), hn::Set(i32, 1)), positive),
                           hn::Set(i32, 0x38100000));
  if (HWY_UNLIKELY(!hn::AllFalse(i32, hn::Or(halfway, tiny)))) return mul_add_lanes(a, b, c);
  return hn::Combine(d, hn::DemoteTo(half, upper), hn::DemoteTo(half, lower));
}
HWY_INLINE V neg_mul_add(V a, V b, V c) { return mul_add(hn::Neg(a), b, c); }

#endif

/// NaN stays NaN, Max(v, 0) would hide it.
HWY_INLINE V relu(V v) { return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Zero(d), v); }

/// `count` things in the fewest parts of at most `most`, as even as possible: part `index` begins
/// here.
constexpr int part_count(int count, int most) { return (count + most - 1) / most; }
constexpr int part_begin(int index, int parts, int count) { return index * count / parts; }

/// Calls `use` with the flags as types, so that loops are compiled for each.
template <class Use>
HWY_INLINE void choose(bool flag, Use use) {
  flag ? use(std::true_type()) : use(std::false_type());
}
template <class Use>
HWY_INLINE void choose(bool first, bool second, Use use) {
  choose(first, [&](auto a) HWY_ATTR { choose(second, [&](auto b) HWY_ATTR { use(a, b); }); });
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
