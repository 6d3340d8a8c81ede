#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/device_memory.h"
#include "comm/device_nodes.h"
#include "comm/tree_rounds.h"

namespace mnist_dist {

/// TreeExchange (comm/tree_exchange.h) in the memory of a queue: the same rounds, all enqueued.
class DeviceExchange {
 public:
  /// As TreeRounds.
  DeviceExchange(int rank, int ranks, int shards, std::size_t size, const Queue& queue);
  bool fits(int shards, std::size_t size) const { return plan_.fits(shards, size); }

  /// Enqueues one round of messages, which is never empty. Between two ranks, messages arrive in
  /// the order in which they were sent.
  using Move = std::function<void(std::span<const TreeMessage>)>;

  /// Enqueues total = the sum of all ranks' shard vectors in the tree's order. The vectors are
  /// scratch afterwards. Allocates nothing after the first call.
  void reduce(const ShardVectors& vectors, std::span<float> total, const Queue& queue,
              const Move& move);

 private:
  /// A buffer's place among those of `sums_`.
  std::size_t slot(TreeRounds::Buffer buffer) const;
  float* at(TreeRounds::Buffer buffer) const { return sums_.data() + slot(buffer) * plan_.size(); }

  TreeRounds plan_;
  DeviceNodes owned_;
  DeviceArray<float> sums_;              ///< of the owned nodes, then scratch
  DeviceArray<TreeAddition> additions_;  ///< of all rounds, one after the other
  std::vector<TreeMessage> messages_;
};

}  // namespace mnist_dist
