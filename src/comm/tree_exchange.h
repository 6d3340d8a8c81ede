#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "comm/tree_rounds.h"
#include "model/flat_view.h"

namespace mnist_dist {

/// One rank's part of a tree all-reduce by messages between pairs of ranks (TreeRounds), in the
/// host's memory.
class TreeExchange {
 public:
  /// As TreeRounds.
  TreeExchange(int rank, int ranks, int shards, std::size_t size)
      : plan_(rank, ranks, shards, size), scratch_(size) {}
  bool fits(int shards, std::size_t size) const { return plan_.fits(shards, size); }

  /// Exchanges one round of messages. Returns when all have arrived. Between two ranks, messages
  /// arrive in the order in which they were sent.
  using Move = std::function<void(std::span<const TreeMessage>)>;

  /// total = the sum of all ranks' shard vectors in the tree's order. The vectors are scratch
  /// afterwards. Allocates nothing after the first call.
  void reduce(const ShardVectors& vectors, std::span<float> total, const Move& move);

 private:
  float* at(TreeRounds::Buffer buffer, const ShardVectors& vectors);

  TreeRounds plan_;
  std::vector<float> scratch_;
  std::vector<TreeMessage> messages_;
};

}  // namespace mnist_dist
