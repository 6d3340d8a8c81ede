#include "comm/tree_gather.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "comm/mpi_handle.h"

namespace mnist_dist {

TreeGather::TreeGather(int rank, int ranks, int shards, std::size_t size)
    : shards_(shards), size_(size) {
  std::size_t first_owned = 0, owned_count = 0;
  for (int r = 0; r < ranks; ++r) {
    const auto nodes = owned_nodes(even_share(r, ranks, shards), shards);
    displacements_.push_back(mpi_count(nodes_.size() * size));
    counts_.push_back(mpi_count(nodes.size() * size));
    if (r == rank) first_owned = nodes_.size(), owned_count = nodes.size();
    for (const Range& node : nodes) nodes_.push_back({node, nullptr});
  }
  buffer_.resize(nodes_.size() * size);
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].data = buffer_.data() + i * size;
  owned_ = std::span(nodes_).subspan(first_owned, owned_count);
}

void TreeGather::add_owned(const ShardVectors& vectors) {
  shards_of_rank_.clear();
  for (int i = 0; i < vectors.count; ++i)
    shards_of_rank_.push_back(
        {{vectors.first_shard + i, vectors.first_shard + i + 1}, vectors[i].data()});
  for (const NodeVector& node : owned_) {
    const auto first = static_cast<std::size_t>(node.range.first - vectors.first_shard);
    const float* sum = tree_sum(
        std::span(shards_of_rank_).subspan(first, static_cast<std::size_t>(node.range.size())),
        size_);
    std::copy_n(sum, size_, node.data);
  }
}

void TreeGather::finish(std::span<float> total) {
  std::copy_n(tree_sum(nodes_, size_), size_, total.begin());
}

ReduceCost TreeGather::cost() const {
  const std::size_t others = counts_.size() - 1;
  return {others, owned_.size() * size_ * others, (nodes_.size() - 1) * size_};
}

void check_reduce(const ShardVectors& vectors, Range owned, std::size_t total_size,
                  const Queue& queue) {
  if (queue.device >= 0)
    throw Error(
        ExitCode::internal,
        fmt::format("vectors on device {} reached a communicator for host memory", queue.device),
        "please report this");
  const Range given{vectors.first_shard, vectors.first_shard + vectors.count};
  if (given != owned || vectors.size != total_size)
    throw Error(
        ExitCode::internal,
        fmt::format("all-reduce of shards [{}, {}) x {} floats into {} floats, where this rank "
                    "owns [{}, {})",
                    given.first, given.last, vectors.size, total_size, owned.first, owned.last),
        "please report this");
}

}  // namespace mnist_dist
