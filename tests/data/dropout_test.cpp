#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "data/augment.h"

namespace mnist_dist {
namespace {

std::vector<std::uint8_t> mask(double probability, std::size_t size, std::uint32_t row = 0,
                               std::uint32_t epoch = 0, std::uint32_t layer = 0) {
  std::vector<std::uint8_t> out(size, 77);
  dropout_mask(dropout_rule(probability), 1, row, epoch, layer, out);
  return out;
}

TEST(DropoutMask, DropsAtItsRate) {
  constexpr std::size_t n = 400000;
  for (const double p : {0.07, 0.1, 0.5}) {
    const auto dropped = mask(p, n);
    EXPECT_NEAR(std::accumulate(dropped.begin(), dropped.end(), 0.0) / n, p,
                5 * std::sqrt(p * (1 - p) / n))
        << p;
  }
  EXPECT_EQ(mask(0, 1000), std::vector<std::uint8_t>(1000, 0));
}

TEST(DropoutMask, ReadsSixteenBitsAnElementLowHalfFirst) {
  const Draws draws{.seed = 1, .purpose = Purpose::dropout, .row = 4, .epoch = 2, .layer = 3};
  const unsigned threshold = dropout_rule(0.3).threshold;
  const auto dropped = mask(0.3, 2500, 4, 2, 3);
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    const std::uint32_t word = draws.block(static_cast<std::uint32_t>(i / 8))[i / 2 % 4];
    const std::uint32_t draw = i % 2 == 0 ? word & 0xffff : word >> 16;
    ASSERT_EQ(dropped[i], draw < threshold ? 1 : 0) << i;
  }
}

TEST(DropoutMask, DiffersByImageEpochAndLayer) {
  const auto base = mask(0.5, 256);
  EXPECT_EQ(base, mask(0.5, 256));
  EXPECT_NE(base, mask(0.5, 256, 1));
  EXPECT_NE(base, mask(0.5, 256, 0, 1));
  EXPECT_NE(base, mask(0.5, 256, 0, 0, 1));
}

}  // namespace
}  // namespace mnist_dist
