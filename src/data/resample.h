#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/host_device.h"
#include "config/config.h"
#include "data/augment.h"
#include "model/spec.h"

namespace mnist_dist {

struct Point {
  float x, y;
};
/// Where an output pixel reads its source, but for the elastic displacement.
MNIST_DIST_HOST_DEVICE inline Point source_point(const AffineMap& map, int output_row,
                                                 int output_column) {
  const auto row = static_cast<float>(output_row), column = static_cast<float>(output_column);
  return {map.a00 * column + map.a01 * row + map.a02, map.a10 * column + map.a11 * row + map.a12};
}

/// Distance of two rows of a padded image: 32 for side 28.
MNIST_DIST_HOST_DEVICE constexpr int padded_stride(int side) { return side + 4; }

/// A coordinate in the padded image. Beyond the border the values are those on it.
MNIST_DIST_HOST_DEVICE inline float padded(float coordinate, int side) {
  return std::min(std::max(coordinate, -1.0f), static_cast<float>(side)) + 1.0f;
}

MNIST_DIST_HOST_DEVICE inline float read_nearest(const float* image, float x, float y, int side,
                                                 int stride) {
  return image[static_cast<int>(padded(y, side) + 0.5f) * stride +
               static_cast<int>(padded(x, side) + 0.5f)];
}

MNIST_DIST_HOST_DEVICE inline float read_bilinear(const float* image, float x, float y, int side,
                                                  int stride) {
  const float u = padded(x, side), v = padded(y, side);
  const int i = static_cast<int>(u), j = static_cast<int>(v);
  const float f = u - static_cast<float>(i), g = v - static_cast<float>(j);
  const float* p = image + j * stride + i;
  const float* q = p + stride;
  const float top = p[0] + f * (p[1] - p[0]);
  const float bottom = q[0] + f * (q[1] - q[0]);
  return top + g * (bottom - top);
}

/// An image inside a border of zeros, so that reading next to or outside the image needs no test:
/// pixel (row, column) is at [row + 1][column + 1].
class PaddedImage {
 public:
  template <class Pixel>
  explicit PaddedImage(std::span<Pixel> pixels, int side = image_side)
      : side_(side), at_(static_cast<std::size_t>(stride() * stride())) {
    const auto width = static_cast<std::size_t>(side),
               distance = static_cast<std::size_t>(stride());
    for (std::size_t row = 0; row < width; ++row)
      for (std::size_t column = 0; column < width; ++column)
        at_[(row + 1) * distance + column + 1] = static_cast<float>(pixels[row * width + column]);
  }
  const float* data() const { return at_.data(); }
  int side() const { return side_; }
  /// Distance of two rows.
  int stride() const { return padded_stride(side_); }

 private:
  int side_;
  std::vector<float> at_;
};

/// Reads `source` at map's coordinates, for each output pixel: x = a00 * column + a01 * row + a02
/// and y in the same way, in float, in this order, without fused multiply-adds. Then, where
/// `displacement` ([2][side][side]: x, then y) is not empty, plus its entry. With clamp(v) =
/// min(max(v, -1), side) + 1:
/// - nearest: the pixel at [trunc(clamp(y) + 0.5)][trunc(clamp(x) + 0.5)] of the padded source, so
/// halves go to the right and down, as in Pillow.
/// - bilinear: i = trunc(clamp(x)), f = clamp(x) - i, rows in the same way with j, g. Then top =
/// p[j][i] + f (p[j][i+1] - p[j][i]), bottom the same in row j + 1,
///   result top + g (bottom - top).
void resample(const PaddedImage& source, const AffineMap& map, std::span<const float> displacement,
              Interpolation interpolation, std::span<float> out);

}  // namespace mnist_dist
