#include "base/kernel.h"
#include "comm/device_sum.h"

namespace mnist_dist {
namespace {

/// A block has as many neighbouring elements as threads.
struct TreeSum {
  static constexpr int block_threads = 256;
  struct Scratch {};
  float* vectors;
  std::size_t size, stride;
  const TreeAddition* additions;
  int count;
  float* out;

  MNIST_DIST_HOST_DEVICE void operator()(const Team& team, int block, Scratch&) const {
    for (int i = team.thread(); i < block_threads; i += team.threads()) {
      const std::size_t at =
          static_cast<std::size_t>(block) * block_threads + static_cast<std::size_t>(i);
      if (at >= size) return;
      for (int a = 0; a < count; ++a)
        vectors[static_cast<std::size_t>(additions[a].into) * stride + at] +=
            vectors[static_cast<std::size_t>(additions[a].from) * stride + at];
      out[at] = vectors[at];
    }
  }
};

}  // namespace

void enqueue_tree_sum(const Queue& queue, float* vectors, std::size_t size, std::size_t stride,
                      const TreeAddition* additions, int count, float* out) {
  constexpr std::size_t share = TreeSum::block_threads;
  launch(queue, static_cast<int>((size + share - 1) / share),
         TreeSum{vectors, size, stride, additions, count, out});
}

}  // namespace mnist_dist
