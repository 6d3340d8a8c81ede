#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "comm/reduce_cost.h"
#include "model/flat_view.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// One rank's part of a tree all-reduce that needs a single all-gather: each rank adds up the tree
/// nodes it owns whole, all ranks exchange those, and each finishes the tree by itself. At 39 KB
/// per node and few ranks, one exchange beats the rounds of a reduce, and no bit depends on the
/// rank that adds.
class TreeGather {
 public:
  TreeGather(int rank, int ranks, int shards, std::size_t size);
  bool fits(int shards, std::size_t size) const { return shards == shards_ && size == size_; }

  /// Adds the owned shards' vectors (which are scratch afterwards) and puts the sums of the owned
  /// nodes into their place in the gather buffer.
  void add_owned(const ShardVectors& vectors);

  /// The gather buffer, node after node from left to right, [size] floats each. Rank r's part is
  /// counts()[r] floats from displacements()[r].
  std::span<float> buffer() { return buffer_; }
  const std::vector<int>& counts() const { return counts_; }
  const std::vector<int>& displacements() const { return displacements_; }

  /// Adds the gathered nodes in the tree's order.
  void finish(std::span<float> total);

  /// With an all-gather that sends one message to each other rank, or around a ring.
  ReduceCost cost() const;

 private:
  int shards_;
  std::size_t size_;
  std::vector<float> buffer_;
  std::vector<int> counts_, displacements_;
  std::vector<NodeVector> nodes_;           // of all ranks, in buffer_
  std::span<const NodeVector> owned_;       // this rank's among them
  std::vector<NodeVector> shards_of_rank_;  // kept: a step allocates nothing
};

/// Throws Error (internal) unless the vectors are the shards `owned`, as long as the total, and in
/// host memory.
void check_reduce(const ShardVectors& vectors, Range owned, std::size_t total_size,
                  const Queue& queue);

}  // namespace mnist_dist
