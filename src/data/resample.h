#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "base/host_device.h"
#include "config/config.h"
#include "data/augment.h"
#include "model/spec.h"

namespace mnist_dist {

struct Point {
  float x, y;
};
/// Where an output pixel reads its source, but for the elastic displacement.
MNIST_DIST_HOST_DEVICE inline Point source_point(const AffineMap& map, int output_row, int output_column) {
  const auto row = static_cast<float>(output_row), column = static_cast<float>(output_column);
  return {map.a00 * column + map.a01 * row + map.a02, map.a10 * column + map.a11 * row + map.a12};
}

/// Distance of two rows of a padded image.
inline constexpr int padded_stride = 32;

/// A coordinate in the padded image; beyond the border everything is as on it.
MNIST_DIST_HOST_DEVICE inline float padded(float coordinate) { return std::min(std::max(coordinate, -1.0f), static_cast<float>(image_side)) + 1.0f; }

MNIST_DIST_HOST_DEVICE inline float read_nearest(const float* image, float x, float y) {
  return image[static_cast<int>(padded(y) + 0.5f) * padded_stride + static_cast<int>(padded(x) + 0.5f)];
}

MNIST_DIST_HOST_DEVICE inline float read_bilinear(const float* image, float x, float y) {
  const float u = padded(x), v = padded(y);
  const int i = static_cast<int>(u), j = static_cast<int>(v);
  const float f = u - static_cast<float>(i), g = v - static_cast<float>(j);
  const float* p = image + j * padded_stride + i;
  const float* q = p + padded_stride;
  const float top = p[0] + f * (p[1] - p[0]);
  const float bottom = q[0] + f * (q[1] - q[0]);
  return top + g * (bottom - top);
}

/// An image inside a border of zeros, so that reading next to or outside the image needs no test: pixel (row, column) is at [row + 1][column + 1].
class PaddedImage {
 public:
  static constexpr int stride = padded_stride;

  template <class Pixel>
  explicit PaddedImage(std::span<Pixel> pixels) {
    for (std::size_t row = 0; row < image_side; ++row)
      for (std::size_t column = 0; column < image_side; ++column)
        at_[(row + 1) * stride + column + 1] = static_cast<float>(pixels[row * image_side + column]);
  }
  const float* data() const { return at_.data(); }

 private:
  std::array<float, stride * stride> at_{};
};

/// Reads `source` at map's coordinates, for each output pixel: x = a00 * column + a01 * row + a02 and y alike, in float, in this order, without fused
/// multiply-adds; then, where `displacement` ([2][28][28]: x, then y) is not empty, plus its entry. With clamp(v) = min(max(v, -1), 28) + 1:
/// - nearest: the pixel at [trunc(clamp(y) + 0.5)][trunc(clamp(x) + 0.5)] of the padded source, so halves go to the right and down, as in Pillow;
/// - bilinear: i = trunc(clamp(x)), f = clamp(x) - i, rows alike with j, g; top = p[j][i] + f (p[j][i+1] - p[j][i]), bottom the same in row j + 1,
///   result top + g (bottom - top).
void resample(const PaddedImage& source, const AffineMap& map, std::span<const float> displacement, Interpolation interpolation,
              std::span<float> out);

}  // namespace mnist_dist
