#pragma once
#include <cstddef>
#include <span>

#include "base/device_memory.h"
#include "comm/device_nodes.h"

namespace mnist_dist {

/// Maximum number of GPUs that gather all vectors: one call of NCCL instead of several rounds. More
/// GPUs exchange parts of them (DeviceExchange). Several GPUs are not run on real hardware yet.
inline constexpr int most_gathering_ranks = 8;

/// One rank's part of a tree all-reduce with a single all-gather, in the memory of a queue: each
/// rank adds up the tree nodes that it owns whole, all exchange those, and each finishes the tree
/// by itself. All-gather takes the same number of floats from every rank: rank r has the `slots`
/// places from r * slots on, one for each of its nodes, and the rest of them stays unused.
class DeviceGather {
 public:
  DeviceGather(int rank, int ranks, int shards, std::size_t size, const Queue& queue);
  bool fits(int shards, std::size_t size) const { return shards == shards_ && size == size_; }

  /// Enqueues the sums of the nodes this rank owns, into its part of the buffer. The vectors are
  /// scratch afterwards.
  void add_owned(const ShardVectors& vectors, const Queue& queue);
  /// [ranks][part()] floats, to be gathered.
  float* buffer() const { return buffer_.data(); }
  std::size_t part() const { return slots_ * size_; }
  float* own_part() const { return buffer_.data() + static_cast<std::size_t>(rank_) * part(); }
  /// Enqueues the rest of the tree, from the gathered buffer.
  void finish(std::span<float> total, const Queue& queue);

 private:
  int rank_, shards_;
  std::size_t size_, slots_ = 0;
  DeviceArray<float> buffer_;
  DeviceNodes owned_;
  DeviceArray<TreeAddition> tree_;
};

}  // namespace mnist_dist
