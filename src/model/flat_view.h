#pragma once
#include <cstddef>
#include <span>

#include "base/queue.h"

namespace mnist_dist {

/// The flat vectors of consecutive shards in the memory of the queue's device, `stride` floats
/// apart, `size` floats used (FlatLayout).
struct ShardVectors {
  float* data = nullptr;
  std::size_t size = 0, stride = 0;
  int first_shard = 0, count = 0;
  std::span<float> operator[](int i) const {
    return {data + static_cast<std::size_t>(i) * stride, size};
  }
};

}  // namespace mnist_dist
