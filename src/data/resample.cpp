#include "data/resample.h"

#include <algorithm>

namespace mnist_dist {
namespace {

/// A coordinate in the padded image; beyond the border everything is as on it.
float padded(float coordinate) { return std::min(std::max(coordinate, -1.0f), static_cast<float>(image_side)) + 1.0f; }

float read_nearest(const float* image, float x, float y) {
  return image[static_cast<int>(padded(y) + 0.5f) * PaddedImage::stride + static_cast<int>(padded(x) + 0.5f)];
}

float read_bilinear(const float* image, float x, float y) {
  const float u = padded(x), v = padded(y);
  const int i = static_cast<int>(u), j = static_cast<int>(v);
  const float f = u - static_cast<float>(i), g = v - static_cast<float>(j);
  const float* p = image + j * PaddedImage::stride + i;
  const float* q = p + PaddedImage::stride;
  const float top = p[0] + f * (p[1] - p[0]);
  const float bottom = q[0] + f * (q[1] - q[0]);
  return top + g * (bottom - top);
}

template <class Read>
void resample_with(Read read, const PaddedImage& source, const AffineMap& map, std::span<const float> displacement, std::span<float> out) {
  const float* image = source.data();
  for (int row = 0; row < image_side; ++row) {
    for (int column = 0; column < image_side; ++column) {
      const auto at = static_cast<std::size_t>(row * image_side + column);
      float x = map.a00 * static_cast<float>(column) + map.a01 * static_cast<float>(row) + map.a02;
      float y = map.a10 * static_cast<float>(column) + map.a11 * static_cast<float>(row) + map.a12;
      if (!displacement.empty()) x += displacement[at], y += displacement[image_size + at];
      out[at] = read(image, x, y);
    }
  }
}

}  // namespace

void resample(const PaddedImage& source, const AffineMap& map, std::span<const float> displacement, Interpolation interpolation,
              std::span<float> out) {
  if (interpolation == Interpolation::nearest)
    resample_with([](const float* image, float x, float y) { return read_nearest(image, x, y); }, source, map, displacement, out);
  else
    resample_with([](const float* image, float x, float y) { return read_bilinear(image, x, y); }, source, map, displacement, out);
}

}  // namespace mnist_dist
