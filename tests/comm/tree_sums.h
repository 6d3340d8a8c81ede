#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "comm/shard_numbers.h"
#include "comm/tree_rounds.h"

namespace mnist_dist {

/// Messages between threads that stand for ranks. A message is delivered when its receiver waits
/// for it, and its sender waits until then, so that a wrong order of messages is a deadlock here as
/// well.
class Network {
 public:
  explicit Network(std::size_t ranks) : links_(ranks) {}

  void exchange(int rank, std::span<const TreeMessage> messages) {
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

/// Exchange(rank, ranks, shards, size) is one rank's part. Its reduce(vectors, total, move) leaves
/// the sum in `total`.
template <class Exchange>
void expect_tree_sums(int ranks, int shards, std::size_t size) {
  Network network(static_cast<std::size_t>(ranks));
  std::vector<std::vector<float>> totals(static_cast<std::size_t>(ranks),
                                         std::vector<float>(size, -1));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back([&, rank] {
      const Range owned = even_share(rank, ranks, shards);
      Exchange exchange(rank, ranks, shards, size);
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

}  // namespace mnist_dist
