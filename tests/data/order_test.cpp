#include "data/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace mnist_dist {
namespace {

TEST(Order, EveryImageOnceAnEpoch) {
  constexpr int rows = 1003, shards = 4;  // shards of 250 and 251 rows
  std::vector<std::uint32_t> seen;
  for (int shard = 0; shard < shards; ++shard) {
    const Range own = even_share(shard, shards, rows);
    for (const std::uint32_t row : epoch_order(own, shard, 1, 0)) {
      EXPECT_GE(static_cast<int>(row), own.first);
      EXPECT_LT(static_cast<int>(row), own.last);
      seen.push_back(row);
    }
  }
  std::sort(seen.begin(), seen.end());
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0u);
  EXPECT_EQ(seen, all);
}

TEST(Order, DependsOnSeedEpochAndShardAlone) {
  const Range rows{0, 100};
  const auto order = epoch_order(rows, 2, 5, 7);
  EXPECT_EQ(order, epoch_order(rows, 2, 5, 7));
  EXPECT_NE(order, epoch_order(rows, 3, 5, 7));
  EXPECT_NE(order, epoch_order(rows, 2, 6, 7));
  EXPECT_NE(order, epoch_order(rows, 2, 5, 8));
}

TEST(Order, EveryPlaceIsEquallyLikely) {
  // Where row 0 of five ends up, over 50,000 epochs: 10,000 each, binomial sd 89.
  std::vector<int> places(5);
  for (std::uint32_t epoch = 0; epoch < 50000; ++epoch) {
    const auto order = epoch_order({0, 5}, 0, 1, epoch);
    ++places[static_cast<std::size_t>(std::find(order.begin(), order.end(), 0u) - order.begin())];
  }
  for (const int count : places) EXPECT_NEAR(count, 10000, 5 * 89);
}

TEST(Order, EmptyAndSingleRows) {
  EXPECT_TRUE(epoch_order({3, 3}, 0, 1, 0).empty());
  EXPECT_THAT(epoch_order({3, 4}, 0, 1, 0), ::testing::ElementsAre(3));
}

TEST(Order, StepsUntilTheLargestShardIsExhausted) {
  EXPECT_EQ(steps_per_epoch(60000, 4, 16), 938);  // 15,000 / 16 = 937.5
  EXPECT_EQ(steps_per_epoch(64, 4, 16), 1);
  EXPECT_EQ(steps_per_epoch(65, 4, 16), 2);  // one shard has 17
  EXPECT_EQ(steps_per_epoch(3, 4, 16), 1);   // an empty shard takes part
}

}  // namespace
}  // namespace mnist_dist
