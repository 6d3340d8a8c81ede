#pragma once
#include <span>

#include "model/flat_view.h"

namespace mnist_dist {

/// Adds the flat vectors of a group's ranks.
class Reducer {
 public:
  virtual ~Reducer() = default;
  /// total = sum of all ranks' shard vectors along the fixed tree over `shards` shards
  /// (model/reduce_tree.h): the same bits for any number of ranks up to `shards`. Ranks own
  /// even_share(rank, size, shards). The vectors are scratch afterwards. In host memory, or in that
  /// of the queue's device.
  /// Collective over the group.
  virtual void tree_all_reduce(const ShardVectors& vectors, int shards, std::span<float> total,
                               const Queue& queue) = 0;
  /// To be called while waiting for a queue in which ranks meet: ends the program when they have
  /// failed, or have not responded for the timeout.
  virtual void watch(double /*waited_seconds*/) {}
};

}  // namespace mnist_dist
