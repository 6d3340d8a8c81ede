#include "comm/device_gather.h"

#include <algorithm>
#include <vector>

#include "comm/device_sum.h"

namespace mnist_dist {

DeviceGather::DeviceGather(int rank, int ranks, int shards, std::size_t size, const Queue& queue)
    : rank_(rank), shards_(shards), size_(size), owned_(rank, ranks, shards, queue) {
  std::vector<std::vector<Range>> nodes_of;
  for (int r = 0; r < ranks; ++r) {
    nodes_of.push_back(owned_nodes(even_share(r, ranks, shards), shards));
    slots_ = std::max(slots_, nodes_of.back().size());
  }
  buffer_ = DeviceArray<float>(queue, static_cast<std::size_t>(ranks) * part());

  std::vector<Range> nodes;
  std::vector<int> places;
  for (int r = 0; r < ranks; ++r)
    for (int slot = 0; const Range& node : nodes_of[static_cast<std::size_t>(r)]) {
      nodes.push_back(node);
      places.push_back(r * static_cast<int>(slots_) + slot++);
    }
  std::vector<TreeAddition> additions = tree_additions(nodes);
  for (TreeAddition& addition : additions)
    addition = {places[static_cast<std::size_t>(addition.into)],
                places[static_cast<std::size_t>(addition.from)]};
  tree_ = DeviceArray<TreeAddition>(queue, additions);
}

void DeviceGather::add_owned(const ShardVectors& vectors, const Queue& queue) {
  owned_.add(vectors, own_part(), queue);
}

void DeviceGather::finish(std::span<float> total, const Queue& queue) {
  enqueue_tree_sum(queue, buffer(), size_, size_, tree_.data(), static_cast<int>(tree_.size()),
                   total.data());
}

}  // namespace mnist_dist
