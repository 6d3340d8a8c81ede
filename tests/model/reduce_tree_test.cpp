#include "model/reduce_tree.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace mnist_dist {
namespace {

TEST(EvenShare, IsDisjointAndComplete) {
  for (const int total : {0, 1, 4, 7, 10000, 59999, 60000})
    for (int parts = 1; parts <= 9; ++parts) {
      int next = 0, smallest = total, largest = 0;
      for (int part = 0; part < parts; ++part) {
        const Range share = even_share(part, parts, total);
        EXPECT_EQ(share.first, next) << part << " of " << parts << " over " << total;
        next = share.last;
        smallest = std::min(smallest, share.size());
        largest = std::max(largest, share.size());
      }
      EXPECT_EQ(next, total);
      EXPECT_LE(largest - smallest, 1);
    }
}

TEST(EvenShare, FollowsItsFormula) {
  EXPECT_EQ(even_share(0, 3, 4), (Range{0, 1}));
  EXPECT_EQ(even_share(1, 3, 4), (Range{1, 2}));
  EXPECT_EQ(even_share(2, 3, 4), (Range{2, 4}));
  EXPECT_EQ(even_share(999, 1000, 2'000'000'000),
            (Range{1'998'000'000, 2'000'000'000}));  // no overflow
}

TEST(Tree, SplitsAtTheLargestPowerOfTwoBelowItsSize) {
  const std::pair<int, int> size_and_left[] = {{2, 1}, {3, 2}, {4, 2},  {5, 4},  {6, 4},
                                               {8, 4}, {9, 8}, {16, 8}, {17, 16}};
  for (const auto& [size, left] : size_and_left)
    EXPECT_EQ(tree_split({10, 10 + size}), 10 + left) << size;
}

/// The definition, written down once more in the plainest way.
float reference_sum(const std::vector<float>& leaves, int first, int last) {
  if (last - first == 1) return leaves[static_cast<std::size_t>(first)];
  int left = 1;
  while (2 * left < last - first) left *= 2;
  return reference_sum(leaves, first, first + left) + reference_sum(leaves, first + left, last);
}

/// Values whose sum depends on the order of the additions.
std::vector<float> order_sensitive(int count) {
  Stream draws({.seed = 1, .purpose = Purpose::synthetic});
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(draws.uniform(-1, 1) * std::exp2(draws.uniform(0, 12)));
  return values;
}

TEST(Tree, ValuesOfThisTestDependOnTheOrder) {
  const auto values = order_sensitive(17);
  float running = 0;
  for (const float value : values) running += value;
  EXPECT_NE(running, reference_sum(values, 0, 17));
}

TEST(Tree, AnyNumberOfRanksGivesTheSameBits) {
  for (int shards = 1; shards <= 20; ++shards) {
    const auto values = order_sensitive(shards);
    const float expected = reference_sum(values, 0, shards);
    for (int ranks = 1; ranks <= shards; ++ranks) {
      auto leaves = values;  // the sums work in place
      const ShardVectors vectors{
          .data = leaves.data(), .size = 1, .stride = 1, .first_shard = 0, .count = shards};
      std::vector<Range> nodes;
      std::vector<float> sums;
      for (int rank = 0; rank < ranks; ++rank)
        for (const Range node : owned_nodes(even_share(rank, ranks, shards), shards)) {
          sum_node(vectors, node);
          nodes.push_back(node);
          sums.push_back(leaves[static_cast<std::size_t>(node.first)]);
        }
      for (const auto& [into, from] : tree_additions(nodes))
        sums[static_cast<std::size_t>(into)] += sums[static_cast<std::size_t>(from)];
      EXPECT_EQ(sums[0], expected) << shards << " shards on " << ranks << " ranks";
    }
  }
}

TEST(Tree, AddsWholeVectorsIntoTheFirst) {
  std::vector<float> values{1, 2, 3, 10, 20, 30, 100, 200, 300};
  sum_node({.data = values.data(), .size = 3, .stride = 3, .first_shard = 0, .count = 3}, {0, 3});
  values.resize(3);
  EXPECT_EQ(values, (std::vector<float>{111, 222, 333}));
}

TEST(Tree, SumsTheShardsOfOneProcess) {
  auto values = order_sensitive(7);
  const float expected = reference_sum(values, 0, 7);
  float total = 0;
  sum_shards({.data = values.data(), .size = 1, .stride = 1, .first_shard = 0, .count = 7},
             {&total, 1});
  EXPECT_EQ(total, expected);
}

TEST(TreeAdditions, AddElementsInTheTreesOrder) {
  for (int shards = 1; shards <= 20; ++shards) {
    auto values = order_sensitive(shards);
    const float expected = reference_sum(values, 0, shards);
    std::vector<Range> nodes;
    for (int shard = 0; shard < shards; ++shard) nodes.push_back({shard, shard + 1});
    const std::vector<TreeAddition> additions = tree_additions(nodes);
    EXPECT_EQ(static_cast<int>(additions.size()), shards - 1);
    for (const TreeAddition& addition : additions)
      values[static_cast<std::size_t>(addition.into)] +=
          values[static_cast<std::size_t>(addition.from)];
    EXPECT_EQ(values[0], expected) << shards;
  }
}

TEST(OwnedNodes, AreTheFewest) {
  EXPECT_EQ(owned_nodes({0, 4}, 4), (std::vector<Range>{{0, 4}}));
  EXPECT_EQ(owned_nodes({2, 4}, 4), (std::vector<Range>{{2, 4}}));
  EXPECT_EQ(owned_nodes({1, 3}, 4), (std::vector<Range>{{1, 2}, {2, 3}}));
  EXPECT_EQ(owned_nodes({1, 6}, 8), (std::vector<Range>{{1, 2}, {2, 4}, {4, 6}}));
  EXPECT_EQ(owned_nodes({4, 6}, 6), (std::vector<Range>{{4, 6}}));
  EXPECT_TRUE(owned_nodes({3, 3}, 8).empty());
}

}  // namespace
}  // namespace mnist_dist
