#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/portable_math.h"
#include "data/augment_draw.h"

namespace mnist_dist {
namespace {

/// Smooths along the lines of a square field and transposes it. Two calls restore rows and columns.
/// Outside is 0.
void smooth_transposed(const float* in, int side, const std::vector<float>& taps, float* out) {
  std::array<float, 3 * image_side_limit>
      line{};  // with a border of zeros as wide as the widest reach
  float* const values = line.data() + side;
  for (int row = 0; row < side; ++row) {
    std::copy_n(in + row * side, side, values);
    std::array<float, image_side_limit> sums;
    for (int at = 0; at < side; ++at) sums[static_cast<std::size_t>(at)] = taps[0] * values[at];
    for (int i = 1; i < static_cast<int>(taps.size()); ++i)
      for (int at = 0; at < side; ++at)
        sums[static_cast<std::size_t>(at)] +=
            taps[static_cast<std::size_t>(i)] * (values[at - i] + values[at + i]);
    for (int at = 0; at < side; ++at) out[at * side + row] = sums[static_cast<std::size_t>(at)];
  }
}

}  // namespace

std::vector<float> elastic_taps(const EpochAugment& faded) {
  const double sigma = faded.elastic_sigma;
  const int reach = std::min(faded.side - 1, static_cast<int>(std::ceil(3 * sigma)));
  std::vector<double> gaussian;
  double squares = 0;
  for (int i = 0; i <= reach; ++i) {
    gaussian.push_back(portable::exponential(-0.5 * i * i / (sigma * sigma)));
    squares += (i == 0 ? 1 : 2) * gaussian.back() * gaussian.back();
  }
  // Two passes: the variance becomes scale^4 * squares^2 / 3.
  const double scale = std::sqrt(faded.elastic_alpha * std::numbers::sqrt3 / squares);
  std::vector<float> taps;
  for (const double tap : gaussian) taps.push_back(static_cast<float>(tap * scale));
  return taps;
}

void elastic_field(const AugmentConfig& config, std::uint64_t seed, std::uint32_t row,
                   std::uint32_t epoch, std::span<float> field, int side) {
  const auto size = static_cast<std::size_t>(side * side);
  std::vector<std::uint16_t> noise(2 * size);
  fill_16_bits({.seed = seed, .purpose = Purpose::elastic, .row = row, .epoch = epoch}, noise);
  for (std::size_t i = 0; i < noise.size(); ++i) field[i] = elastic_noise(noise[i]);

  const std::vector<float> taps = elastic_taps(at_epoch(config, epoch, side));
  std::vector<float> half_smoothed(size);
  for (const std::size_t axis : {0, 1}) {
    float* values = field.data() + axis * size;
    smooth_transposed(values, side, taps, half_smoothed.data());
    smooth_transposed(half_smoothed.data(), side, taps, values);
  }
}

}  // namespace mnist_dist
