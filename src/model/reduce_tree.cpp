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

}  // namespace

std::vector<Range> owned_nodes(Range owned, int shards) {
  std::vector<Range> out;
  if (owned.size() > 0) collect_owned({0, shards}, owned, out);
  return out;
}

namespace {

/// Index of the vector in which the sum of `nodes`, whose first one has the index `first`, ends.
template <class Add>
std::size_t reduce(std::span<const NodeVector> nodes, std::size_t first, const Add& add) {
  if (nodes.size() == 1) return first;
  const int split = tree_split({nodes.front().range.first, nodes.back().range.last});
  const auto right = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const NodeVector& n) { return n.range.first >= split; });
  const auto left_count = static_cast<std::size_t>(right - nodes.begin());
  const std::size_t left_sum = reduce(nodes.first(left_count), first, add);
  add(left_sum, reduce(nodes.subspan(left_count), first + left_count, add));
  return left_sum;
}

void add_into(float* sum, const float* other, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) sum[i] += other[i];
}

}  // namespace

void sum_node(const ShardVectors& shards, Range node) {
  if (node.size() == 1) return;
  const int split = tree_split(node);
  sum_node(shards, {node.first, split});
  sum_node(shards, {split, node.last});
  add_into(shards[node.first].data(), shards[split].data(), shards.size);
}

float* tree_sum(std::span<const NodeVector> nodes, std::size_t size) {
  return nodes[reduce(nodes, 0,
                      [&](std::size_t into, std::size_t from) {
                        add_into(nodes[into].data, nodes[from].data, size);
                      })]
      .data;
}

void sum_shards(const ShardVectors& shards, std::span<float> total) {
  sum_node(shards, {0, shards.count});
  std::copy_n(shards.data, shards.size, total.begin());
}

std::vector<TreeAddition> tree_additions(std::span<const NodeVector> nodes) {
  std::vector<TreeAddition> additions;
  reduce(nodes, 0, [&](std::size_t into, std::size_t from) {
    additions.push_back({static_cast<int>(into), static_cast<int>(from)});
  });
  return additions;
}

}  // namespace mnist_dist
