#include "model/reduce_tree.h"

#include <algorithm>
#include <bit>

namespace mnist_dist {

int tree_split(Range node) { return node.first + static_cast<int>(std::bit_floor(static_cast<unsigned>(node.size() - 1))); }

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

float* tree_sum(std::span<const NodeVector> nodes, std::size_t size) {
  if (nodes.size() == 1) return nodes[0].data;
  const int split = tree_split({nodes.front().range.first, nodes.back().range.last});
  const auto right = std::find_if(nodes.begin(), nodes.end(), [&](const NodeVector& n) { return n.range.first >= split; });
  const auto left_count = static_cast<std::size_t>(right - nodes.begin());
  float* left_sum = tree_sum(nodes.first(left_count), size);
  const float* right_sum = tree_sum(nodes.subspan(left_count), size);
  for (std::size_t i = 0; i < size; ++i) left_sum[i] += right_sum[i];
  return left_sum;
}

}  // namespace mnist_dist
