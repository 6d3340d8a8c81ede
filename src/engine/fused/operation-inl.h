// What a layer computes before its bias, ReLU, norm and dropout.
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

/// A convolution or a pool, on one group of kLanes images at a time. Built once; no allocation afterwards.
class Operation {
 public:
  virtual ~Operation() = default;
  /// Floats of memory it needs during a call, which operations share.
  virtual std::size_t workspace_size() const { return 0; }
  virtual void use_workspace(float* /*memory*/) {}
  /// New weights.
  virtual void use_weights(const float* /*parameters*/) {}
  /// Before a pass.
  virtual void begin() {}
  /// Reads the rows of `in`, writes those of `out` and finishes each.
  virtual void forward(const Activation& in, int group, Activation& out) = 0;
  /// Reads the gradient of `out`; adds to the sums of the weight gradient; where `in` wants a gradient, writes its rows and finishes each.
  virtual void backward(Activation& in, int group, Activation& out) = 0;
  /// Weight gradient of the pass into the flat gradient.
  virtual void finish_gradient(float* /*gradient*/) {}

  void use_stopwatch(Stopwatch* watch) { watch_ = watch; }

 protected:
  Timed timed(Phase phase) const { return {watch_, phase}; }

 private:
  Stopwatch* watch_ = nullptr;
};

/// The last few rows of a map, as many as are needed at a time (or all, where they are at hand): row y lies where row y - depth was. Row y is
/// [channel][column][lanes] or whatever its user makes of it; rows above the first few are addressed through an array of pointers, so that kernels
/// know nothing of rings.
class RowRing {
 public:
  RowRing() = default;
  RowRing(float* memory, int depth, std::size_t row_size) : memory_(memory), depth_(depth), row_size_(row_size) {}
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

#if HWY_TARGET == HWY_SCALAR

HWY_INLINE float sum_lanes(D, V v) { return hn::GetLane(v); }
HWY_INLINE void sum_lanes(V v0, V v1, V v2, V v3, float* sums) {
  const V all[] = {v0, v1, v2, v3};
  for (int i = 0; i < 4; ++i) sums[i] = hn::GetLane(all[i]);
}

#else

/// Sum over the lanes, half to half. Not Highway's SumOfLanes, whose order, and with it the last bit, differs from one Highway to another.
template <class DN, class VN>
HWY_INLINE float sum_lanes(DN dn, VN v) {
  if constexpr (hn::MaxLanes(dn) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<DN> half;
    return sum_lanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
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

/// Sums over the lanes of four vectors: a third of the shuffles of four sums over one.
HWY_INLINE void sum_lanes(V v0, V v1, V v2, V v3, float* sums) {
  const V even = add(hn::InterleaveLower(d, v0, v2), hn::InterleaveUpper(d, v0, v2));
  const V odd = add(hn::InterleaveLower(d, v1, v3), hn::InterleaveUpper(d, v1, v3));
  add_blocks(d, add(hn::InterleaveLower(d, even, odd), hn::InterleaveUpper(d, even, odd)), sums);
}

#endif

/// Sums over the lanes of `count` vectors, in a fixed order.
inline void sum_lanes(const float* vectors, std::size_t count, float* sums) {
  std::size_t i = 0;
  const auto vector = [&](std::size_t offset) HWY_ATTR { return load(vectors + (i + offset) * kLanes); };
  for (; i + 4 <= count; i += 4) sum_lanes(vector(0), vector(1), vector(2), vector(3), sums + i);
  for (; i < count; ++i) sums[i] = sum_lanes(d, vector(0));
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
