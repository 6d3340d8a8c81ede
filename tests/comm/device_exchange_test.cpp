#include "comm/device_exchange.h"

#include <gtest/gtest.h>

#include "comm/tree_sums.h"

namespace mnist_dist {
namespace {

/// In the host's memory.
class Part {
 public:
  Part(int rank, int ranks, int shards, std::size_t size)
      : exchange_(rank, ranks, shards, size, on_host) {}
  void reduce(const ShardVectors& vectors, std::span<float> total,
              const DeviceExchange::Move& move) {
    exchange_.reduce(vectors, total, on_host, [&](std::span<const TreeMessage> messages) {
      EXPECT_FALSE(messages.empty());
      move(messages);
    });
  }

 private:
  static constexpr Queue on_host{};
  DeviceExchange exchange_;
};

TEST(DeviceExchange, GivesTheBitsOfTheTreeOnAnyNumberOfRanks) {
  for (const int ranks :
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 32, 33, 64})
    for (const std::size_t size : {1u, 17u, 997u}) expect_tree_sums<Part>(ranks, ranks, size);
}

TEST(DeviceExchange, RanksMayOwnSeveralShardsAndSharesOfNodes) {
  for (const int ranks : {2, 3, 4, 5, 6, 7, 9, 12})
    for (int shards = ranks; shards <= 2 * ranks + 3; ++shards)
      expect_tree_sums<Part>(ranks, shards, 101);
}

}  // namespace
}  // namespace mnist_dist
