#include "comm/device_gather.h"

#include <algorithm>

#include "comm/device_sum.h"

namespace mnist_dist {
namespace {

std::vector<NodeVector> single_shards(Range range) {
  std::vector<NodeVector> nodes;
  for (int shard = range.first; shard < range.last; ++shard)
    nodes.push_back({{shard, shard + 1}, nullptr});
  return nodes;
}

}  // namespace

DeviceGather::DeviceGather(int rank, int ranks, int shards, std::size_t size, const Queue& queue)
    : rank_(rank), shards_(shards), size_(size) {
  std::vector<std::vector<Range>> nodes_of;
  for (int r = 0; r < ranks; ++r) {
    nodes_of.push_back(owned_nodes(even_share(r, ranks, shards), shards));
    slots_ = std::max(slots_, nodes_of.back().size());
  }
  buffer_ = DeviceArray<float>(queue, static_cast<std::size_t>(ranks) * part());

  const Range owned = even_share(rank, ranks, shards);
  for (const Range& node : nodes_of[static_cast<std::size_t>(rank)])
    owned_.push_back({node.first - owned.first,
                      DeviceArray<TreeAddition>(queue, tree_additions(single_shards(node)))});

  std::vector<NodeVector> nodes;
  std::vector<int> places;
  for (int r = 0; r < ranks; ++r)
    for (int slot = 0; const Range& node : nodes_of[static_cast<std::size_t>(r)]) {
      nodes.push_back({node, nullptr});
      places.push_back(r * static_cast<int>(slots_) + slot++);
    }
  std::vector<TreeAddition> additions = tree_additions(nodes);
  for (TreeAddition& addition : additions)
    addition = {places[static_cast<std::size_t>(addition.into)],
                places[static_cast<std::size_t>(addition.from)]};
  tree_ = DeviceArray<TreeAddition>(queue, additions);

  std::vector<TreeAddition> chain;
  for (int i = 1; i < static_cast<int>(owned_.size()); ++i) chain.push_back({0, i});
  chain_ = DeviceArray<TreeAddition>(queue, chain);
}

void DeviceGather::add_owned(const ShardVectors& vectors, const Queue& queue) {
  float* place = own_part();
  for (const Owned& node : owned_) {
    enqueue_tree_sum(queue, vectors.data + static_cast<std::size_t>(node.first) * vectors.stride,
                     size_, vectors.stride, node.additions.data(),
                     static_cast<int>(node.additions.size()), place);
    place += size_;
  }
}

void DeviceGather::finish(std::span<float> total, const Queue& queue) {
  enqueue_tree_sum(queue, buffer(), size_, size_, tree_.data(), static_cast<int>(tree_.size()),
                   total.data());
}

void DeviceGather::add_own_part(std::span<float> total, const Queue& queue) {
  enqueue_tree_sum(queue, own_part(), size_, size_, chain_.data(), static_cast<int>(chain_.size()),
                   total.data());
}

}  // namespace mnist_dist
