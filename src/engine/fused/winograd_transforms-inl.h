// The matrices of Winograd's F(4,3), points 0, 1, -1, 2, -2 and infinity, applied to rows.
#if defined(MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H
#undef MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H
#else
#define MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H
#endif

#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

constexpr int kKernel = 3, kTile = 4, kPoints = kTile + kKernel - 1;

// A^T = 1  1  1  1  1  0     B^T = 4  0 -5  0  1  0     G = 1/4    0     0
//       0  1 -1  2 -2  0           0 -4 -4  1  1  0        -1/6  -1/6  -1/6
//       0  1  1  4  4  0           0  4 -4 -1  1  0        -1/6   1/6  -1/6
//       0  1 -1  8 -8  1           0 -2 -1  2  1  0         1/24  1/12  1/6
//                                  0  2 -1 -2  1  0         1/24 -1/12  1/6
//                                  0  4  0 -5  0  1         0     0     1

/// Row `point` of G times three neighbouring weights.
inline float transform_weight(int point, const float* w) {
  switch (point) {
    case 0:
      return w[0] * (1 / 4.0f);
    case 1:
      return (w[0] + w[1] + w[2]) * (-1 / 6.0f);
    case 2:
      return (w[0] - w[1] + w[2]) * (-1 / 6.0f);
    case 3:
      return (w[0] + 2 * w[1] + 4 * w[2]) * (1 / 24.0f);
    case 4:
      return (w[0] - 2 * w[1] + 4 * w[2]) * (1 / 24.0f);
    default:
      return w[2];
  }
}

/// G^T.
HWY_INLINE void transform_weight_gradient(const V (&point)[kPoints], V (&tap)[kKernel]) {
  const V sum1 = add(point[1], point[2]), difference1 = hn::Sub(point[2], point[1]);
  const V sum2 = add(point[3], point[4]), difference2 = hn::Sub(point[3], point[4]);
  const V sixth = broadcast(1 / 6.0f);
  tap[0] = hn::MulAdd(broadcast(1 / 4.0f), point[0], hn::MulAdd(broadcast(1 / 24.0f), sum2, hn::Mul(broadcast(-1 / 6.0f), sum1)));
  tap[1] = hn::MulAdd(broadcast(1 / 12.0f), difference2, hn::Mul(sixth, difference1));
  tap[2] = hn::MulAdd(sixth, hn::Sub(sum2, sum1), point[5]);
}

/// B^T: [channel][4 tiles + 2 columns] to [point][channel][tile].
inline void transform_input_row(const float* row, int channels, int tiles, float* out) {
  const std::size_t stride = static_cast<std::size_t>(channels * tiles * kLanes);
  const V four = broadcast(4), five = broadcast(5), two = broadcast(2);
  for (int channel = 0; channel < channels; ++channel, row += 2 * kLanes)
    for (int tile = 0; tile < tiles; ++tile, row += kTile * kLanes, out += kLanes) {
      const V x0 = load(row), x1 = load(row + kLanes), x2 = load(row + 2 * kLanes), x3 = load(row + 3 * kLanes), x4 = load(row + 4 * kLanes),
              x5 = load(row + 5 * kLanes);
      const V even1 = hn::NegMulAdd(four, x2, x4), odd1 = hn::NegMulAdd(four, x1, x3);
      const V even2 = hn::Sub(x4, x2), odd2 = hn::Sub(x3, x1);
      store(hn::MulAdd(four, x0, hn::NegMulAdd(five, x2, x4)), out);
      store(add(even1, odd1), out + stride);
      store(hn::Sub(even1, odd1), out + 2 * stride);
      store(hn::MulAdd(two, odd2, even2), out + 3 * stride);
      store(hn::NegMulAdd(two, odd2, even2), out + 4 * stride);
      store(hn::MulAdd(four, x1, hn::NegMulAdd(five, x3, x5)), out + 5 * stride);
    }
}

/// A^T: [point][channel][tile] to [channel][column].
inline void transform_output_row(const float* products, int channels, int tiles, int side, float* out) {
  const std::size_t stride = static_cast<std::size_t>(channels * tiles * kLanes);
  const V two = broadcast(2), four = broadcast(4), eight = broadcast(8);
  for (int channel = 0; channel < channels; ++channel)
    for (int tile = 0; tile < tiles; ++tile, products += kLanes) {
      const V m1 = load(products + stride), m2 = load(products + 2 * stride), m3 = load(products + 3 * stride), m4 = load(products + 4 * stride);
      const V sum1 = add(m1, m2), difference1 = hn::Sub(m1, m2), sum2 = add(m3, m4), difference2 = hn::Sub(m3, m4);
      const int width = std::min(kTile, side - tile * kTile);
      store(add(load(products), add(sum1, sum2)), out);
      if (width > 1) store(hn::MulAdd(two, difference2, difference1), out + kLanes);
      if (width > 2) store(hn::MulAdd(four, sum2, sum1), out + 2 * kLanes);
      if (width > 3) store(add(load(products + 5 * stride), hn::MulAdd(eight, difference2, difference1)), out + 3 * kLanes);
      out += width * kLanes;
    }
}

/// A: [channel][4 tiles columns] to [point][channel][tile].
inline void transform_gradient_row(const float* row, int channels, int tiles, float* out) {
  const std::size_t stride = static_cast<std::size_t>(channels * tiles * kLanes);
  const V two = broadcast(2), four = broadcast(4);
  for (int i = 0; i < channels * tiles; ++i, row += kTile * kLanes, out += kLanes) {
    const V g0 = load(row), g1 = load(row + kLanes), g2 = load(row + 2 * kLanes), g3 = load(row + 3 * kLanes);
    const V even1 = add(g0, g2), odd1 = add(g1, g3);
    const V even2 = hn::MulAdd(four, g2, g0), odd2 = hn::MulAdd(four, g3, g1);
    store(g0, out);
    store(add(even1, odd1), out + stride);
    store(hn::Sub(even1, odd1), out + 2 * stride);
    store(hn::MulAdd(two, odd2, even2), out + 3 * stride);
    store(hn::NegMulAdd(two, odd2, even2), out + 4 * stride);
    store(g3, out + 5 * stride);
  }
}

/// B: [point][channel][tile] to [channel][side] without `padding` columns in front; neighbouring tiles overlap by two columns, which add up.
inline void transform_input_gradient_row(const float* products, int channels, int tiles, int padding, int side, float* out) {
  const std::size_t stride = static_cast<std::size_t>(channels * tiles * kLanes);
  const V two = broadcast(2), four = broadcast(4), five = broadcast(5);
  for (int channel = 0; channel < channels; ++channel, out += side * kLanes) {
    const auto put = [&](int column, V value) HWY_ATTR {
      if (column >= padding && column < padding + side) store(value, out + (column - padding) * kLanes);
    };
    V overlap0 = hn::Zero(d), overlap1 = hn::Zero(d);
    for (int tile = 0; tile < tiles; ++tile, products += kLanes) {
      const V m0 = load(products), m1 = load(products + stride), m2 = load(products + 2 * stride), m3 = load(products + 3 * stride),
              m4 = load(products + 4 * stride), m5 = load(products + 5 * stride);
      const V sum1 = add(m1, m2), difference1 = hn::Sub(m1, m2), sum2 = add(m3, m4), difference2 = hn::Sub(m3, m4);
      const int column = tile * kTile;
      put(column, hn::MulAdd(four, m0, overlap0));
      put(column + 1, add(overlap1, hn::MulAdd(four, hn::Sub(m5, difference1), hn::Mul(hn::Neg(two), difference2))));
      put(column + 2, hn::Sub(hn::NegMulAdd(five, m0, hn::Neg(sum2)), hn::Mul(four, sum1)));
      put(column + 3, hn::NegMulAdd(five, m5, hn::MulAdd(two, difference2, difference1)));
      overlap0 = add(m0, add(sum1, sum2));
      overlap1 = m5;
    }
    put(tiles * kTile, overlap0);
    put(tiles * kTile + 1, overlap1);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
