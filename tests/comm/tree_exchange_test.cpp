#include "comm/tree_exchange.h"

#include <gtest/gtest.h>

#include "comm/tree_sums.h"

namespace mnist_dist {
namespace {

TEST(TreeExchange, GivesTheBitsOfTheTreeOnAnyNumberOfRanks) {
  for (const int ranks :
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 32, 33, 64})
    for (const std::size_t size : {1u, 17u, 997u})
      expect_tree_sums<TreeExchange>(ranks, ranks, size);
}

TEST(TreeExchange, RanksMayOwnSeveralShardsAndSharesOfNodes) {
  for (const int ranks : {2, 3, 4, 5, 6, 7, 9, 12})
    for (int shards = ranks; shards <= 2 * ranks + 3; ++shards)
      expect_tree_sums<TreeExchange>(ranks, shards, 101);
}

}  // namespace
}  // namespace mnist_dist
