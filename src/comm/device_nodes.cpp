#include "comm/device_nodes.h"

#include "comm/device_sum.h"

namespace mnist_dist {
namespace {

std::vector<Range> single_shards(Range range) {
  std::vector<Range> nodes;
  for (int shard = range.first; shard < range.last; ++shard) nodes.push_back({shard, shard + 1});
  return nodes;
}

}  // namespace

DeviceNodes::DeviceNodes(int rank, int ranks, int shards, const Queue& queue) : shards_(shards) {
  const Range owned = even_share(rank, ranks, shards);
  for (const Range& node : owned_nodes(owned, shards))
    nodes_.push_back({node.first - owned.first,
                      DeviceArray<TreeAddition>(queue, tree_additions(single_shards(node)))});
  std::vector<TreeAddition> chain;
  for (int i = 1; i < static_cast<int>(nodes_.size()); ++i) chain.push_back({0, i});
  chain_ = DeviceArray<TreeAddition>(queue, chain);
}

void DeviceNodes::add(const ShardVectors& vectors, float* sums, const Queue& queue) const {
  for (const Node& node : nodes_) {
    enqueue_tree_sum(queue, vectors.data + static_cast<std::size_t>(node.first) * vectors.stride,
                     vectors.size, vectors.stride, node.additions.data(),
                     static_cast<int>(node.additions.size()), sums);
    sums += vectors.size;
  }
}

void DeviceNodes::chain(float* sums, std::span<float> total, const Queue& queue) const {
  enqueue_tree_sum(queue, sums, total.size(), total.size(), chain_.data(),
                   static_cast<int>(chain_.size()), total.data());
}

}  // namespace mnist_dist
