// The steps of one channel of one row between two convolutions, one element at a time: bias, ReLU,
// batch norm, dropout, forward and backward.
#if defined(MNIST_DIST_FUSED_CHANNEL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_CHANNEL_INL_H
#undef MNIST_DIST_FUSED_CHANNEL_INL_H
#else
#define MNIST_DIST_FUSED_CHANNEL_INL_H
#endif

#include "engine/fused/batch_norm.h"
#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

// Each is made for a channel of a row and then reads or returns its columns from the left, so that
// a caller with a column in a register need not write and read it again. Sums continue from row to
// row, in a fixed order.

/// Zero where the bit of the element's image is set.
HWY_INLINE V unless_dropped(V value, const std::uint8_t* dropped) {
  return hn::IfThenZeroElse(hn::LoadMaskBits(d, dropped), value);
}

/// The input of the next layer: x = dropped ? 0 : scale * value + shift.
template <bool kDropout>
struct ChannelReader {
  V scale, shift;
  const float* value;
  const std::uint8_t* dropped;

  HWY_INLINE V next() {
    V x = mul_add(scale, load(value), shift);
    value += kLanes;
    if constexpr (kDropout) {
      x = unless_dropped(x, dropped);
      dropped += kMaskBytes;
    }
    return x;
  }
};

/// Makes the stored value from the output of the layer's operation. Statistics: each image's sums
/// are taken about its own first value, so that a channel that hardly varies loses no digits to its
/// mean.
template <bool kRelu, bool kStatistics>
struct ChannelFinisher {
  V bias;
  int y;  ///< the row
  ChannelSums sums;
  V pivot = hn::Zero(d), first = hn::Zero(d), second = hn::Zero(d);

  /// Before the others. `leftmost` is the value of the first column.
  HWY_INLINE void begin(V leftmost) {
    if constexpr (kStatistics) {
      if (y == 0) {
        pivot = activated(leftmost);
        store(pivot, sums.pivot);
      } else {
        pivot = load(sums.pivot);
        first = load(sums.first);
        second = load(sums.second);
      }
    }
  }
  HWY_INLINE V operator()(V computed) {
    const V value = activated(computed);
    if constexpr (kStatistics) {
      const V difference = hn::Sub(value, pivot);
      first = add(first, difference);
      second = mul_add(difference, difference, second);
    }
    return value;
  }
  HWY_INLINE void end() const {
    if constexpr (kStatistics) {
      store(first, sums.first);
      store(second, sums.second);
    }
  }

 private:
  HWY_INLINE V activated(V computed) const {
    const V value = add(computed, bias);
    return kRelu ? relu(value) : value;
  }
};

/// Norm's sums over the gradient with respect to x.
template <bool kNorm, bool kDropout>
struct ChannelGradientFinisher {
  V mean;
  const float* value;
  const std::uint8_t* dropped;
  ChannelSums sums;
  V first = hn::Zero(d), second = hn::Zero(d);

  HWY_INLINE void begin(int y) {
    if constexpr (kNorm) {
      if (y == 0) return;
      first = load(sums.first);
      second = load(sums.second);
    }
  }
  HWY_INLINE void operator()(V gradient) {
    if constexpr (kNorm) {
      if constexpr (kDropout) {
        gradient = unless_dropped(gradient, dropped);
        dropped += kMaskBytes;
      }
      first = add(first, gradient);
      second = mul_add(gradient, hn::Sub(load(value), mean), second);
      value += kLanes;
    }
  }
  HWY_INLINE void end() const {
    if constexpr (kNorm) {
      store(first, sums.first);
      store(second, sums.second);
    }
  }
};

/// Gradient with respect to the output of the layer's operation, 0 in lanes without an image:
/// from_gradient * g + from_value * value + constant where ReLU was active. Sums it for the bias.
template <bool kRelu, bool kDropout, bool kBias>
struct ChannelGradientReader {
  V from_gradient, from_value, constant;
  hn::Mask<D> live;
  const float *value, *gradient;
  const std::uint8_t* dropped;
  float* sum_at;
  V sum = hn::Zero(d);

  HWY_INLINE void begin(int y) {
    if constexpr (kBias) {
      if (y > 0) sum = load(sum_at);
    }
  }
  HWY_INLINE V next() {
    const V v = load(value);
    V g = load(gradient);
    value += kLanes;
    gradient += kLanes;
    if constexpr (kDropout) {
      g = unless_dropped(g, dropped);
      dropped += kMaskBytes;
    }
    g = mul_add(from_gradient, g, mul_add(from_value, v, constant));
    g = hn::IfThenElseZero(kRelu ? hn::And(live, hn::Gt(v, hn::Zero(d))) : live, g);
    if constexpr (kBias) sum = add(sum, g);
    return g;
  }
  HWY_INLINE void end() const {
    if constexpr (kBias) store(sum, sum_at);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
