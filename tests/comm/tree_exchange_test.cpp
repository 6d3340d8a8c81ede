#include "comm/tree_exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "comm/shard_numbers.h"
#include "comm/tree_gather.h"

namespace mnist_dist {
namespace {

/// Messages between threads that stand for ranks. A message is delivered when its receiver waits
/// for it, and its sender waits until then, so that a wrong order of messages is a deadlock here as
/// well.
class Network {
 public:
  explicit Network(std::size_t ranks) : links_(ranks) {}

  void exchange(int rank, std::span<const TreeExchange::Message> messages) {
    std::unique_lock lock(mutex_);
    std::vector<std::pair<Link*, std::size_t>> waiting;
    for (const auto& [peer, sent, data] : messages) {
      Link& link = sent ? links_[rank][peer] : links_[peer][rank];
      (sent ? link.sent : link.awaited).push_back(data);
      waiting.emplace_back(&link, (sent ? link.sent : link.awaited).size());
      for (; link.delivered < std::min(link.sent.size(), link.awaited.size()); ++link.delivered) {
        const std::span<float> from = link.sent[link.delivered], to = link.awaited[link.delivered];
        ASSERT_EQ(from.size(), to.size());
        std::copy(from.begin(), from.end(), to.begin());
      }
    }
    changed_.notify_all();
    const bool done = changed_.wait_for(lock, std::chrono::seconds(60), [&] {
      return std::ranges::all_of(waiting,
                                 [](const auto& w) { return w.first->delivered >= w.second; });
    });
    if (!done) std::abort();  // the other threads wait as well
  }

 private:
  struct Link {
    std::vector<std::span<float>> sent, awaited;
    std::size_t delivered = 0;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::map<int, Link>> links_;  ///< by sender, then receiver
};

void expect_tree_sums(int ranks, int shards, std::size_t size) {
  Network network(static_cast<std::size_t>(ranks));
  std::vector<std::vector<float>> totals(static_cast<std::size_t>(ranks),
                                         std::vector<float>(size, -1));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back([&, rank] {
      const Range owned = even_share(rank, ranks, shards);
      TreeExchange exchange(rank, ranks, shards, size);
      for (int call = 0; call < 2; ++call) {
        auto data = shard_vectors(owned, size, size + 3);
        exchange.reduce({data.data(), size, size + 3, owned.first, owned.size()},
                        totals[static_cast<std::size_t>(rank)],
                        [&](auto messages) { network.exchange(rank, messages); });
      }
    });
  for (std::thread& thread : threads) thread.join();
  std::vector<float> expected(size);
  for (std::size_t i = 0; i < size; ++i) expected[i] = tree_reference(0, shards, i);
  for (int rank = 0; rank < ranks; ++rank)
    EXPECT_EQ(0, std::memcmp(totals[static_cast<std::size_t>(rank)].data(), expected.data(),
                             size * sizeof(float)))
        << "rank " << rank << " of " << ranks << ", " << shards << " shards of " << size
        << " floats";
}

TEST(TreeExchange, GivesTheBitsOfTheTreeOnAnyNumberOfRanks) {
  for (const int ranks :
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 32, 33, 64})
    for (const std::size_t size : {1u, 17u, 997u}) expect_tree_sums(ranks, ranks, size);
}

TEST(TreeExchange, RanksMayOwnSeveralShardsAndSharesOfNodes) {
  for (const int ranks : {2, 3, 4, 5, 6, 7, 9, 12})
    for (int shards = ranks; shards <= 2 * ranks + 3; ++shards)
      expect_tree_sums(ranks, shards, 101);
}

/// Of the ranks of MpiCommunicator::tree_all_reduce.
ReduceCost busiest(int ranks, std::size_t size) {
  ReduceCost most;
  for (int rank = 0; rank < ranks; ++rank) {
    const ReduceCost cost = ranks > most_gathering_ranks
                                ? TreeExchange(rank, ranks, ranks, size).cost()
                                : TreeGather(rank, ranks, ranks, size).cost();
    most.messages = std::max(most.messages, cost.messages);
    most.floats = std::max(most.floats, cost.floats);
    most.additions = std::max(most.additions, cost.additions);
  }
  return most;
}

// The figures of docs/performance.md. 9,984 floats: step 3's vector, a little longer so that it
// halves.
TEST(TreeExchange, CostGrowsWithTheLogarithmOfTheRanks) {
  constexpr std::size_t size = 10240;
  for (const std::size_t ranks : {4u, 8u}) {
    const auto cost = busiest(static_cast<int>(ranks), size);
    EXPECT_EQ(cost.messages, ranks - 1);
    EXPECT_EQ(cost.floats, (ranks - 1) * size);
    EXPECT_EQ(cost.additions, (ranks - 1) * size);
  }
  for (const std::size_t doublings : {4u, 6u, 10u}) {
    const int ranks = 1 << doublings;
    const auto cost = busiest(ranks, size);
    EXPECT_EQ(cost.messages, 2 * doublings);
    EXPECT_EQ(cost.additions, size - size / static_cast<std::size_t>(ranks));
    EXPECT_EQ(cost.floats, 2 * cost.additions);
  }
}

TEST(TreeExchange, AFewRanksBeyondAPowerOfTwoDoNotSendToAll) {
  for (const auto& [ranks, messages] : {std::pair{17, 15u}, {65, 20u}, {1025, 30u}, {768, 30u}}) {
    const auto cost = busiest(ranks, 10240);
    EXPECT_LE(cost.messages, messages) << ranks << " ranks";
    EXPECT_LE(cost.floats, 3 * 10240u) << ranks << " ranks";
  }
}

}  // namespace
}  // namespace mnist_dist
