#pragma once
#include <cstddef>

#include "base/queue.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// Adds vectors of `size` floats that lie `stride` floats apart, in the order of `additions`
/// (tree_additions, in the queue's memory), and writes the resulting vector 0 to `out`. The vectors
/// are scratch afterwards. The same bits as sum_node: each element is added by one thread, in that
/// order.
void enqueue_tree_sum(const Queue& queue, float* vectors, std::size_t size, std::size_t stride,
                      const TreeAddition* additions, int count, float* out);

}  // namespace mnist_dist
