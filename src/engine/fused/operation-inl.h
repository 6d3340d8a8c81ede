// Interface of a layer's operation before its bias, ReLU, norm and dropout.
#if defined(MNIST_DIST_FUSED_OPERATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_OPERATION_INL_H
#undef MNIST_DIST_FUSED_OPERATION_INL_H
#else
#define MNIST_DIST_FUSED_OPERATION_INL_H
#endif

#include <vector>

#include "engine/fused/activation-inl.h"
#include "engine/fused/stopwatch.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// A convolution or a pool, on one group of kLanes images at a time. Built once, allocates nothing
/// afterwards.
class Operation {
 public:
  virtual ~Operation() = default;
  /// Floats of memory it needs during a call, which operations share.
  virtual std::size_t workspace_size() const { return 0; }
  virtual void use_workspace(float* /*memory*/) {}
  /// New weights.
  virtual void use_weights(const float* /*parameters*/) {}
  /// Before the backward pass of the groups of one part: its sums of the weight gradient begin at
  /// 0.
  virtual void begin_part(int /*part*/) {}
  /// After it. There may have been no such group.
  virtual void finish_part(int /*part*/) {}
  /// Reads the rows of `in`, writes those of `out` and finishes each.
  virtual void forward(const Activation& in, int group, Activation& out) = 0;
  /// Reads the gradient of `out`. Adds to the sums of the weight gradient. Where `in` wants a
  /// gradient, writes its rows and finishes each.
  virtual void backward(Activation& in, int group, Activation& out) = 0;
  /// After all parts: the weight gradient into the flat gradient.
  virtual void finish_gradient(float* /*gradient*/) {}

  void use_stopwatch(Stopwatch* watch) { watch_ = watch; }

 protected:
  Timed timed(Phase phase) const { return {watch_, phase}; }

 private:
  Stopwatch* watch_ = nullptr;
};

/// The last few rows of a map, as many as are needed at a time (or all, where they are at hand):
/// row y lies where row y - depth was. Row y is [channel][column][lanes] or another layout of its
/// user. Rows above the first few are addressed through an array of pointers, so that kernels need
/// no rings.
class RowRing {
 public:
  RowRing() = default;
  RowRing(float* memory, int depth, std::size_t row_size)
      : memory_(memory), depth_(depth), row_size_(row_size) {}
  float* row(int y) const { return memory_ + static_cast<std::size_t>(y % depth_) * row_size_; }
  /// Writes the pointers of rows [first, last) to `rows`.
  const float* const* rows(int first, int last, std::vector<const float*>& rows) const {
    for (int y = first; y < last; ++y) rows[static_cast<std::size_t>(y - first)] = row(y);
    return rows.data();
  }

 private:
  float* memory_ = nullptr;
  int depth_ = 1;
  std::size_t row_size_ = 0;
};

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
