// Sums over the lanes of vectors, in one order on every SIMD target.
#if defined(MNIST_DIST_FUSED_LANE_SUMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_LANE_SUMS_INL_H
#undef MNIST_DIST_FUSED_LANE_SUMS_INL_H
#else
#define MNIST_DIST_FUSED_LANE_SUMS_INL_H
#endif

#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

// Sums over the 16 lanes, which are kParts vectors: part(0), part(1) ... gives them. Not Highway's
// SumOfLanes, whose order, and with it the last bit, differs from one Highway to another.

/// Lane l plus lane l + 8, of those lane l plus lane l + 4, and so on until kLeft vectors are left.
/// Returns vector `index` of them.
template <int kLeft = 1, class Part>
HWY_INLINE V add_halves(Part part, int index = 0) {
  if constexpr (kLeft == kParts)
    return part(index);
  else
    return add(add_halves<2 * kLeft>(part, index), add_halves<2 * kLeft>(part, index + kLeft));
}

#if HWY_TARGET == HWY_SCALAR

HWY_INLINE float sum_halves(D, V v) { return hn::GetLane(v); }

/// (0 + 2) + (1 + 3)
template <class Value>
HWY_INLINE V sum_four(Value value) {
  return add(add(value(0), value(2)), add(value(1), value(3)));
}

/// Four sums, lane(sum, l): first over blocks of four lanes, then of the four blocks.
template <class Lane>
HWY_INLINE void sum_four_vectors(Lane lane, float* sums) {
  for (int sum = 0; sum < 4; ++sum) {
    const auto block = [&](int b) { return sum_four([&](int i) { return lane(sum, 4 * b + i); }); };
    sums[sum] = hn::GetLane(sum_four(block));
  }
}

#else

/// As add_halves inside a vector, down to one lane.
template <class DN, class VN>
HWY_INLINE float sum_halves(DN dn, VN v) {
  if constexpr (hn::MaxLanes(dn) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<DN> half;
    return sum_halves(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// Of vectors of four lanes or more whose blocks of four hold four sums' parts: those sums.
template <class DN, class VN>
HWY_INLINE void add_blocks(DN dn, VN blocks, float* sums) {
  if constexpr (hn::MaxLanes(dn) <= 4) {
    hn::StoreU(blocks, dn, sums);
  } else {
    const hn::Half<DN> half;
    add_blocks(half, hn::Add(hn::LowerHalf(half, blocks), hn::UpperHalf(half, blocks)), sums);
  }
}

/// Four sums, vector(sum, part): first (0 + 2) + (1 + 3) of each block of four lanes, then of the
/// four blocks, half to half. A third of the shuffles of four sums over one.
template <class Vector>
HWY_INLINE void sum_four_vectors(Vector vector, float* sums) {
  const auto blocks = [&](int part) HWY_ATTR {
    const V v0 = vector(0, part), v1 = vector(1, part), v2 = vector(2, part), v3 = vector(3, part);
    const V even = add(hn::InterleaveLower(d, v0, v2), hn::InterleaveUpper(d, v0, v2));
    const V odd = add(hn::InterleaveLower(d, v1, v3), hn::InterleaveUpper(d, v1, v3));
    return add(hn::InterleaveLower(d, even, odd), hn::InterleaveUpper(d, even, odd));
  };
  add_blocks(d, add_halves(blocks), sums);
}

#endif

/// Sums over the lanes of `count` vectors of 16 lanes, laid out [part][vector][kLanes]. The order
/// of a sum's additions depends on its place: the last count % 4 are summed one by one.
inline void sum_lanes(const float* vectors, std::size_t count, float* sums) {
  std::size_t i = 0;
  const auto vector = [&](int offset, int part) HWY_ATTR {
    return load(vectors +
                (static_cast<std::size_t>(part) * count + i + static_cast<std::size_t>(offset)) *
                    kLanes);
  };
  for (; i + 4 <= count; i += 4) sum_four_vectors(vector, sums + i);
  for (; i < count; ++i)
    sums[i] = sum_halves(d, add_halves([&](int part) HWY_ATTR { return vector(0, part); }));
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
