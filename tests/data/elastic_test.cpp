#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "data/augment.h"

namespace mnist_dist {
namespace {

constexpr std::uint64_t seed = 3;

std::vector<float> field_of(const AugmentConfig& config, std::uint32_t row) {
  std::vector<float> field(2 * image_size);
  elastic_field(config, seed, row, 0, field);
  return field;
}

TEST(Elastic, DisplacesByAlphaAndAsSmoothlyAsSigma) {
  constexpr int images = 4000;
  for (const double sigma : {2.0, 4.0}) {
    const AugmentConfig config{.elastic_alpha = 1.5, .elastic_sigma = sigma};
    double sum = 0, squares = 0, along = 0, across = 0;
    for (std::uint32_t row = 0; row < images; ++row) {
      const auto field = field_of(config, row);
      const std::size_t middle = 14 * image_side + 14;
      sum += field[middle];
      squares += field[middle] * field[middle];
      along += field[middle] * field[middle + image_side];  // one row down
      across += field[middle] * field[image_size + middle];
    }
    const double variance = 1.5 * 1.5;
    EXPECT_NEAR(sum / images, 0, 5 * 1.5 / std::sqrt(images));
    EXPECT_NEAR(squares / images, variance, 5 * variance * std::sqrt(2.0 / images));
    // White noise under a Gaussian: neighbours at distance d correlate by exp(-d^2 / (4 sigma^2)).
    EXPECT_NEAR(along / squares, std::exp(-1 / (4 * sigma * sigma)), 0.01) << sigma;
    EXPECT_NEAR(across / squares, 0, 5 / std::sqrt(images));  // x and y are drawn apart
  }
}

TEST(Elastic, RowsAndColumnsAreEquallySmooth) {
  const AugmentConfig config{.elastic_alpha = 1, .elastic_sigma = 3};
  double rows = 0, columns = 0;
  for (std::uint32_t row = 0; row < 500; ++row) {
    const auto field = field_of(config, row);
    for (std::size_t r = 10; r < 18; ++r)
      for (std::size_t c = 10; c < 18; ++c) {
        const std::size_t i = r * image_side + c;
        rows += std::pow(field[i] - field[i + image_side], 2);
        columns += std::pow(field[i] - field[i + 1], 2);
      }
  }
  EXPECT_NEAR(rows / columns, 1, 0.1);
}

TEST(Elastic, MovesThePixelsByItsField) {
  // On a ramp, bilinear reading gives the coordinate itself.
  std::vector<std::uint8_t> ramp(image_size);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint8_t>(i % image_side);
  const AugmentConfig config{.elastic_alpha = 2};
  const auto field = field_of(config, 7);
  std::vector<float> out(image_size);
  augment_image(ramp, config, {.mean = 0, .sd = 1 / 255.0f}, seed, 7, 0, out);
  for (std::size_t row = 8; row < 20; ++row)
    for (std::size_t column = 8; column < 20; ++column) {
      const std::size_t i = row * image_side + column;
      EXPECT_NEAR(out[i], static_cast<float>(column) + field[i], 1e-4);
    }
}

}  // namespace
}  // namespace mnist_dist
