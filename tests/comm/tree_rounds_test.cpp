#include "comm/tree_rounds.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mnist_dist {
namespace {

/// Cost of one tree all-reduce for one rank.
struct ReduceCost {
  std::size_t messages = 0;   ///< sent
  std::size_t floats = 0;     ///< sent
  std::size_t additions = 0;  ///< after those within its own nodes
};

ReduceCost cost_of(const TreeRounds& plan) {
  ReduceCost cost;
  for (const TreeRounds::Round& round : plan.rounds()) {
    // Each message travels a second time, the other way.
    cost.messages += round.transfers.size();
    for (const auto& transfer : round.transfers) cost.floats += transfer.elements.size();
    for (const auto& addition : round.additions) cost.additions += addition.elements.size();
  }
  return cost;
}

/// Of the ranks of MpiCommunicator::tree_all_reduce.
ReduceCost busiest(int ranks, std::size_t size) {
  ReduceCost most;
  for (int rank = 0; rank < ranks; ++rank) {
    const ReduceCost cost = cost_of(TreeRounds(rank, ranks, ranks, size));
    most.messages = std::max(most.messages, cost.messages);
    most.floats = std::max(most.floats, cost.floats);
    most.additions = std::max(most.additions, cost.additions);
  }
  return most;
}

// The figures of docs/performance.md. 9,984 floats: step 3's vector, a little longer so that it
// halves.
TEST(TreeRounds, CostGrowsWithTheLogarithmOfTheRanks) {
  constexpr std::size_t size = 10240;
  for (const std::size_t doublings : {1u, 2u, 3u, 4u, 6u, 10u}) {
    const int ranks = 1 << doublings;
    const auto cost = busiest(ranks, size);
    EXPECT_EQ(cost.messages, 2 * doublings);
    EXPECT_EQ(cost.additions, size - size / static_cast<std::size_t>(ranks));
    EXPECT_EQ(cost.floats, 2 * cost.additions);
  }
}

// A step keeps these, one vector of scratch, and nothing else.
TEST(TreeRounds, APlanGrowsWithTheLogarithmOfTheRanks) {
  for (const std::size_t doublings : {4u, 6u, 10u}) {
    const int ranks = 1 << doublings;
    for (const int rank : {0, 1, ranks / 2, ranks - 1}) {
      const TreeRounds plan(rank, ranks, ranks, 10240);
      EXPECT_EQ(plan.owned().size(), 1u);
      EXPECT_EQ(plan.held().size(), 1u);
      EXPECT_EQ(plan.rounds().size(), doublings);
      for (const TreeRounds::Round& round : plan.rounds()) {
        EXPECT_EQ(round.transfers.size(), 2u);
        EXPECT_EQ(round.additions.size(), 1u);
      }
    }
  }
}

TEST(TreeRounds, AFewRanksBeyondAPowerOfTwoDoNotSendToAll) {
  for (const auto& [ranks, messages] : {std::pair{17, 15u}, {65, 20u}, {1025, 30u}, {768, 30u}}) {
    const auto cost = busiest(ranks, 10240);
    EXPECT_LE(cost.messages, messages) << ranks << " ranks";
    EXPECT_LE(cost.floats, 3 * 10240u) << ranks << " ranks";
  }
}

}  // namespace
}  // namespace mnist_dist
