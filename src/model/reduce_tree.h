#pragma once
#include <span>
#include <vector>

#include "model/flat_view.h"

namespace mnist_dist {

/// A range of shards (or rows): [first, last).
struct Range {
  int first, last;
  int size() const { return last - first; }
  bool operator==(const Range&) const = default;
};

/// Rank r of R owns shards [floor(rS/R), floor((r+1)S/R)). Shard k of S owns rows [floor(kN/S),
/// floor((k+1)N/S)).
inline Range even_share(int index, int parts, int total) {
  const auto at = [&](int i) {
    return static_cast<int>(static_cast<long long>(i) * total / parts);
  };
  return {at(index), at(index + 1)};
}

/// The fixed binary tree over shards: node [lo, hi) is [lo, split) + [split, hi), split = lo + the
/// largest power of two below hi - lo.
int tree_split(Range node);

/// The fewest tree nodes that make up `owned` within the tree over [0, shards), from left to right.
/// A rank adds each of them alone and sends one vector per node. The order of the sum does not
/// depend on the ranks.
std::vector<Range> owned_nodes(Range owned, int shards);

/// Adds the vectors of a tree node, whose shards are indices into `shards`. The sum ends in the
/// vector of its first shard, the others are scratch afterwards. Host memory.
void sum_node(const ShardVectors& shards, Range node);

/// The sum of all shards' vectors in the host's memory, where all are one process's. The vectors
/// are scratch afterwards. Allocates nothing: it is part of every step.
void sum_shards(const ShardVectors& shards, std::span<float> total);

/// One addition of a tree sum: vector `from` is added to vector `into`, both indices of nodes.
struct TreeAddition {
  int into, from;
};
/// The additions of the sums of `nodes`, which together cover one node of the tree, in the tree's
/// order. The result is in node 0.
std::vector<TreeAddition> tree_additions(std::span<const Range> nodes);

}  // namespace mnist_dist
