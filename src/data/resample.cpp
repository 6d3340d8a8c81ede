#include "data/resample.h"
namespace mnist_dist {
namespace {

template <class Read>
void resample_with(Read read, const PaddedImage& source, const AffineMap& map,
                   std::span<const float> displacement, std::span<float> out) {
  const float* image = source.data();
  const int side = source.side();
  const auto size = static_cast<std::size_t>(side * side);
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const auto at = static_cast<std::size_t>(row * side + column);
      auto [x, y] = source_point(map, row, column);
      if (!displacement.empty()) x += displacement[at], y += displacement[size + at];
      out[at] = read(image, x, y);
    }
  }
}

}  // namespace

void resample(const PaddedImage& source, const AffineMap& map, std::span<const float> displacement,
              Interpolation interpolation, std::span<float> out) {
  const int side = source.side(), stride = source.stride();
  if (interpolation == Interpolation::nearest)
    resample_with([=](const float* image, float x,
                      float y) { return read_nearest(image, x, y, side, stride); },
                  source, map, displacement, out);
  else
    resample_with([=](const float* image, float x,
                      float y) { return read_bilinear(image, x, y, side, stride); },
                  source, map, displacement, out);
}

}  // namespace mnist_dist
