#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "base/device_memory.h"
#include "model/flat_view.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// The tree nodes that a rank owns whole, added up in the memory of a queue.
class DeviceNodes {
 public:
  /// Needs at least one shard per rank.
  DeviceNodes(int rank, int ranks, int shards, const Queue& queue);
  bool fits(int shards) const { return shards == shards_; }
  std::size_t count() const { return nodes_.size(); }

  /// Enqueues the sums of the nodes into `sums`, [count()][vectors.size] floats. The vectors are
  /// scratch afterwards.
  void add(const ShardVectors& vectors, float* sums, const Queue& queue) const;
  /// Enqueues the sum of such sums from left to right, which is not the tree's order. They are
  /// scratch afterwards.
  void chain(float* sums, std::span<float> total, const Queue& queue) const;

 private:
  struct Node {
    int first;  ///< of its shards, among those of the rank
    DeviceArray<TreeAddition> additions;
  };
  int shards_;
  std::vector<Node> nodes_;
  DeviceArray<TreeAddition> chain_;
};

}  // namespace mnist_dist
