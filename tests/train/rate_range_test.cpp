#include "train/rate_range.h"

#include <gtest/gtest.h>

namespace mnist_dist {
namespace {

TEST(RateRange, SuggestsAQuarterOrATenthOfTheRateWithTheLowestLoss) {
  EXPECT_DOUBLE_EQ(*suggested_rate({{0.01, 2.3}, {0.1, 0.5}, {1, 0.4}, {10, 9}}, false), 0.1);
  EXPECT_DOUBLE_EQ(*suggested_rate({{0.01, 2.3}, {0.1, 0.5}, {1, 0.4}, {10, 9}}, true), 0.25);
}

TEST(RateRange, SuggestsNothingWhereTheLossDidNotFallAndRiseAgain) {
  EXPECT_FALSE(suggested_rate({}, false));
  EXPECT_FALSE(suggested_rate({{0.5, 1}}, false));
  EXPECT_FALSE(suggested_rate({{0.01, 2.3}, {0.1, 0.5}, {1, 0.4}}, true));
  EXPECT_FALSE(suggested_rate({{0.01, 2.3}, {0.1, 2.25}, {1, 2.4}}, true));
  EXPECT_FALSE(suggested_rate({{0.01, 0.3}, {0.1, 0.5}, {1, 0.4}}, true));
}

}  // namespace
}  // namespace mnist_dist
