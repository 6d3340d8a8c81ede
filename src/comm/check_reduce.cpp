#include "comm/check_reduce.h"

#include <fmt/format.h>

#include "base/error.h"

namespace mnist_dist {

void check_reduce(const ShardVectors& vectors, Range owned, std::size_t total_size,
                  const Queue& queue) {
  if (queue.device >= 0)
    throw internal_error(
        fmt::format("vectors on device {} reached a communicator for host memory", queue.device));
  const Range given{vectors.first_shard, vectors.first_shard + vectors.count};
  if (given != owned || given.size() < 1 || vectors.size != total_size)
    throw internal_error(
        fmt::format("all-reduce of shards [{}, {}) x {} floats into {} floats, where this rank "
                    "owns [{}, {})",
                    given.first, given.last, vectors.size, total_size, owned.first, owned.last));
}

}  // namespace mnist_dist
