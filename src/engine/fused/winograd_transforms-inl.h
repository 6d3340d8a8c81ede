// The matrices of Winograd's F(4,3), points 0, 1, -1, 2, -2 and infinity.
#if defined(MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H
#undef MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H
#else
#define MNIST_DIST_FUSED_WINOGRAD_TRANSFORMS_INL_H
#endif

#include <algorithm>

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

/// G times three weights, `in_stride` floats apart. Points lie `out_stride` floats apart.
inline void transform_weight(const float* w, std::ptrdiff_t in_stride, float* point,
                             std::ptrdiff_t out_stride) {
  const float w0 = w[0], w1 = w[in_stride], w2 = w[2 * in_stride];
  const float even1 = w0 + w2, even2 = w0 + 4 * w2;
  point[0] = w0 * (1 / 4.0f);
  point[out_stride] = (even1 + w1) * (-1 / 6.0f);
  point[2 * out_stride] = (even1 - w1) * (-1 / 6.0f);
  point[3 * out_stride] = (even2 + 2 * w1) * (1 / 24.0f);
  point[4 * out_stride] = (even2 - 2 * w1) * (1 / 24.0f);
  point[5 * out_stride] = w2;
}

/// G^T.
HWY_INLINE void transform_weight_gradient(const V (&point)[kPoints], V (&tap)[kKernel]) {
  const V sum1 = add(point[1], point[2]), difference1 = hn::Sub(point[2], point[1]);
  const V sum2 = add(point[3], point[4]), difference2 = hn::Sub(point[3], point[4]);
  const V sixth = broadcast(1 / 6.0f);
  tap[0] = mul_add(broadcast(1 / 4.0f), point[0],
                   mul_add(broadcast(1 / 24.0f), sum2, hn::Mul(broadcast(-1 / 6.0f), sum1)));
  tap[1] = mul_add(broadcast(1 / 12.0f), difference2, hn::Mul(sixth, difference1));
  tap[2] = mul_add(sixth, hn::Sub(sum2, sum1), point[5]);
}

/// B^T.
HWY_INLINE void transform_input(V x0, V x1, V x2, V x3, V x4, V x5, float* out,
                                std::size_t stride) {
  const V two = broadcast(2), four = broadcast(4), five = broadcast(5);
  const V even1 = neg_mul_add(four, x2, x4), odd1 = neg_mul_add(four, x1, x3);
  const V even2 = hn::Sub(x4, x2), odd2 = hn::Sub(x3, x1);
  store(mul_add(four, x0, neg_mul_add(five, x2, x4)), out);
  store(add(even1, odd1), out + stride);
  store(hn::Sub(even1, odd1), out + 2 * stride);
  store(mul_add(two, odd2, even2), out + 3 * stride);
  store(neg_mul_add(two, odd2, even2), out + 4 * stride);
  store(mul_add(four, x1, neg_mul_add(five, x3, x5)), out + 5 * stride);
}

/// A^T. Points lie `stride` floats apart.
HWY_INLINE void transform_output(const float* point, std::size_t stride, V (&out)[kTile]) {
  const V m1 = load(point + stride), m2 = load(point + 2 * stride), m3 = load(point + 3 * stride),
          m4 = load(point + 4 * stride);
  const V sum1 = add(m1, m2), difference1 = hn::Sub(m1, m2), sum2 = add(m3, m4),
          difference2 = hn::Sub(m3, m4);
  out[0] = add(load(point), add(sum1, sum2));
  out[1] = mul_add(broadcast(2), difference2, difference1);
  out[2] = mul_add(broadcast(4), sum2, sum1);
  out[3] = add(load(point + 5 * stride), mul_add(broadcast(8), difference2, difference1));
}

/// A.
HWY_INLINE void transform_gradient(V g0, V g1, V g2, V g3, float* out, std::size_t stride) {
  const V two = broadcast(2), four = broadcast(4);
  const V even1 = add(g0, g2), odd1 = add(g1, g3);
  const V even2 = mul_add(four, g2, g0), odd2 = mul_add(four, g3, g1);
  store(g0, out);
  store(add(even1, odd1), out + stride);
  store(hn::Sub(even1, odd1), out + 2 * stride);
  store(mul_add(two, odd2, even2), out + 3 * stride);
  store(neg_mul_add(two, odd2, even2), out + 4 * stride);
  store(g3, out + 5 * stride);
}

/// B. Points lie `stride` floats apart.
HWY_INLINE void transform_input_gradient(const float* point, std::size_t stride,
                                         V (&out)[kPoints]) {
  const V two = broadcast(2), four = broadcast(4), five = broadcast(5);
  const V m0 = load(point), m1 = load(point + stride), m2 = load(point + 2 * stride),
          m3 = load(point + 3 * stride), m4 = load(point + 4 * stride),
          m5 = load(point + 5 * stride);
  const V sum1 = add(m1, m2), difference1 = hn::Sub(m1, m2), sum2 = add(m3, m4),
          twice2 = hn::Mul(two, hn::Sub(m3, m4));
  out[0] = hn::Mul(four, m0);
  out[1] = mul_add(four, hn::Sub(m5, difference1), hn::Neg(twice2));
  out[2] = neg_mul_add(five, m0, neg_mul_add(four, sum1, hn::Neg(sum2)));
  out[3] = neg_mul_add(five, m5, add(difference1, twice2));
  out[4] = add(m0, add(sum1, sum2));
  out[5] = m5;
}

// Along the columns of a channel of a row, to and from points that lie `stride` floats apart.

/// `x.next()`: the next of `side` columns. `padding` zero columns before them, and after them what
/// fills the tiles.
template <class Columns>
HWY_INLINE void transform_input_channel(Columns& x, int padding, int side, int tiles, float* out,
                                        std::size_t stride) {
  const auto column = [&](int i) HWY_ATTR {
    return i >= padding && i < padding + side ? x.next() : hn::Zero(d);
  };
  V x0 = column(0), x1 = column(1);
  for (int i = 2; tiles > 0; --tiles, i += kTile, out += kLanes) {
    const V x2 = column(i), x3 = column(i + 1), x4 = column(i + 2), x5 = column(i + 3);
    transform_input(x0, x1, x2, x3, x4, x5, out, stride);
    x0 = x4;
    x1 = x5;
  }
}

/// `out` has `side` columns. Stores finish(column), from the left.
template <class Finish>
HWY_INLINE void transform_output_channel(const float* points, std::size_t stride, int tiles,
                                         int side, Finish& finish, float* out) {
  for (int tile = 0; tile < tiles; ++tile, points += kLanes) {
    V columns[kTile];
    transform_output(points, stride, columns);
    if (tile == 0) finish.begin(columns[0]);
    const int width = std::min(kTile, side - tile * kTile);
    store(finish(columns[0]), out);
    if (width > 1) store(finish(columns[1]), out + kLanes);
    if (width > 2) store(finish(columns[2]), out + 2 * kLanes);
    if (width > 3) store(finish(columns[3]), out + 3 * kLanes);
    out += width * kLanes;
  }
}

/// `g.next()`: the next of `side` columns. Zero columns fill the last tile.
template <class Columns>
HWY_INLINE void transform_gradient_channel(Columns& g, int side, int tiles, float* out,
                                           std::size_t stride) {
  const auto column = [&](int i) HWY_ATTR { return i < side ? g.next() : hn::Zero(d); };
  for (int i = 0; i < tiles * kTile; i += kTile, out += kLanes) {
    const V g0 = column(i), g1 = column(i + 1), g2 = column(i + 2), g3 = column(i + 3);
    transform_gradient(g0, g1, g2, g3, out, stride);
  }
}

/// `out` has `side` columns, `padding` others before them are left out. Neighbouring tiles overlap
/// by two columns, which add up. Calls finish(column) for each that is stored, from the left.
template <class Finish>
HWY_INLINE void transform_input_gradient_channel(const float* points, std::size_t stride, int tiles,
                                                 int padding, int side, Finish& finish,
                                                 float* out) {
  const auto put = [&](int column, V value) HWY_ATTR {
    if (column < padding || column >= padding + side) return;
    finish(value);
    store(value, out + (column - padding) * kLanes);
  };
  V overlap0 = hn::Zero(d), overlap1 = hn::Zero(d);
  for (int tile = 0; tile < tiles; ++tile, points += kLanes) {
    V columns[kPoints];
    transform_input_gradient(points, stride, columns);
    put(tile * kTile, add(columns[0], overlap0));
    put(tile * kTile + 1, add(columns[1], overlap1));
    put(tile * kTile + 2, columns[2]);
    put(tile * kTile + 3, columns[3]);
    overlap0 = columns[4];
    overlap1 = columns[5];
  }
  put(tiles * kTile, overlap0);
  put(tiles * kTile + 1, overlap1);
}

// Down the rows: `count` vectors of each row, point or carry.

/// Rows [channel][tile] to [row point][channel][tile], where channels may lie farther apart.
struct PointStrides {
  std::size_t channel, point;  ///< floats
};

inline void transform_input_rows(const float* const* row, std::size_t offset, int channels,
                                 int tiles, float* points, PointStrides strides) {
  const auto end = static_cast<std::size_t>(tiles * kLanes);
  for (int channel = 0; channel < channels; ++channel, offset += end, points += strides.channel)
    for (std::size_t i = 0, at = offset; i < end; i += kLanes, at += kLanes)
      transform_input(load(row[0] + at), load(row[1] + at), load(row[2] + at), load(row[3] + at),
                      load(row[4] + at), load(row[5] + at), points + i, strides.point);
}

/// Rows lie `row_stride` floats apart.
inline void transform_output_rows(const float* points, std::size_t count, float* row,
                                  std::size_t row_stride) {
  const std::size_t stride = count * kLanes;
  for (std::size_t i = 0; i < stride; i += kLanes) {
    V rows[kTile];
    transform_output(points + i, stride, rows);
    for (std::size_t r = 0; r < kTile; ++r) store(rows[r], row + r * row_stride + i);
  }
}

inline void transform_gradient_rows(const float* const* row, std::size_t offset, int channels,
                                    int tiles, float* points, PointStrides strides) {
  const auto end = static_cast<std::size_t>(tiles * kLanes);
  for (int channel = 0; channel < channels; ++channel, offset += end, points += strides.channel)
    for (std::size_t i = 0, at = offset; i < end; i += kLanes, at += kLanes)
      transform_gradient(load(row[0] + at), load(row[1] + at), load(row[2] + at), load(row[3] + at),
                         points + i, strides.point);
}

/// Four rows. The two more that a tile reaches are carried to the tile below. Rows and carries lie
/// `row_stride` floats apart.
inline void transform_input_gradient_rows(const float* points, std::size_t count, float* row,
                                          float* carry, std::size_t row_stride) {
  const std::size_t stride = count * kLanes;
  for (std::size_t i = 0; i < stride; i += kLanes) {
    V rows[kPoints];
    transform_input_gradient(points + i, stride, rows);
    store(add(rows[0], load(carry + i)), row + i);
    store(add(rows[1], load(carry + row_stride + i)), row + row_stride + i);
    store(rows[2], row + 2 * row_stride + i);
    store(rows[3], row + 3 * row_stride + i);
    store(rows[4], carry + i);
    store(rows[5], carry + row_stride + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
