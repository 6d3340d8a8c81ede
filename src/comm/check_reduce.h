#pragma once
#include <cstddef>

#include "model/flat_view.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// Throws: Error (internal) unless the vectors are the shards `owned`, of which there is at least
/// one, as long as the total, and in host memory.
void check_reduce(const ShardVectors& vectors, Range owned, std::size_t total_size,
                  const Queue& queue);

}  // namespace mnist_dist
