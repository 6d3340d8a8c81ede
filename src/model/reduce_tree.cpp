#include "model/reduce_tree.h"

#include <algorithm>
#include <bit>

namespace mnist_dist {

int tree_split(Range node) {
  return node.first + static_cast<int>(std::bit_floor(static_cast<unsigned>(node.size() - 1)));
}

namespace {

void collect_owned(Range node, Range owned, std::vector<Range>& out) {
  if (node.last <= owned.first || owned.last <= node.first) return;
  if (owned.first <= node.first && node.last <= owned.last) {
    out.push_back(node);
    return;
  }
  const int split = tree_split(node);
  collect_owned({node.first, split}, owned, out);
  collect_owned({split, node.last}, owned, out);
}

/// Appends the additions of `nodes`, whose first one has the index `first`. The sum ends there.
void collect_additions(std::span<const Range> nodes, int first, std::vector<TreeAddition>& out) {
  if (nodes.size() == 1) return;
  const int split = tree_split({nodes.front().first, nodes.back().last});
  const auto right =
      std::ranges::find_if(nodes, [&](const Range& node) { return node.first >= split; });
  const auto left_count = static_cast<std::size_t>(right - nodes.begin());
  const int middle = first + static_cast<int>(left_count);
  collect_additions(nodes.first(left_count), first, out);
  collect_additions(nodes.subspan(left_count), middle, out);
  out.push_back({first, middle});
}

}  // namespace

std::vector<Range> owned_nodes(Range owned, int shards) {
  std::vector<Range> out;
  if (owned.size() > 0) collect_owned({0, shards}, owned, out);
  return out;
}

void sum_node(const ShardVectors& shards, Range node) {
  if (node.size() == 1) return;
  const int split = tree_split(node);
  sum_node(shards, {node.first, split});
  sum_node(shards, {split, node.last});
  float* const sum = shards[node.first].data();
  const float* const other = shards[split].data();
  for (std::size_t i = 0; i < shards.size; ++i) sum[i] += other[i];
}

void sum_shards(const ShardVectors& shards, std::span<float> total) {
  sum_node(shards, {0, shards.count});
  std::copy_n(shards.data, shards.size, total.begin());
}

std::vector<TreeAddition> tree_additions(std::span<const Range> nodes) {
  std::vector<TreeAddition> additions;
  collect_additions(nodes, 0, additions);
  return additions;
}

}  // namespace mnist_dist
