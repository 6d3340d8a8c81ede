#pragma once
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "model/reduce_tree.h"

namespace mnist_dist {

/// The order in which a shard shows its rows in an epoch: a Fisher-Yates shuffle of [rows.first,
/// rows.last), a pure function of its arguments.
std::vector<std::uint32_t> epoch_order(Range rows, int shard, std::uint64_t seed,
                                       std::uint32_t epoch);

/// Fisher-Yates over a stream of draws, in place.
void shuffle(std::vector<std::uint32_t>& values, std::uint64_t seed, std::uint32_t stream,
             std::uint32_t epoch, Purpose purpose);

/// Steps until every shard of `rows` rows is exhausted, at `slice` rows of each per step.
int steps_per_epoch(int rows, int shards, int slice);

}  // namespace mnist_dist
