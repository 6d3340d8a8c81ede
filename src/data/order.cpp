#include "data/order.h"

#include <numeric>
#include <utility>

namespace mnist_dist {

std::vector<std::uint32_t> epoch_order(Range rows, int shard, std::uint64_t seed,
                                       std::uint32_t epoch) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(rows.size()));
  std::iota(order.begin(), order.end(), static_cast<std::uint32_t>(rows.first));
  shuffle(order, seed, static_cast<std::uint32_t>(shard), epoch, Purpose::epoch_order);
  return order;
}

void shuffle(std::vector<std::uint32_t>& values, std::uint64_t seed, std::uint32_t stream,
             std::uint32_t epoch, Purpose purpose) {
  Stream draws({.seed = seed, .purpose = purpose, .row = stream, .epoch = epoch});
  for (std::size_t left = values.size(); left > 1; --left)
    std::swap(values[left - 1], values[draws.below(static_cast<std::uint32_t>(left))]);
}

int steps_per_epoch(int rows, int shards, int slice) {
  const int largest_shard = (rows + shards - 1) / shards;
  return (largest_shard + slice - 1) / slice;
}

}  // namespace mnist_dist
