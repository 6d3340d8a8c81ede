#pragma once
#include "comm/communicator.h"
#include "train/local_data.h"

namespace mnist_dist {

/// The data of this rank of `group`, one of the groups of `world` that train apart. Of the ranks of
/// a host that have the same part of the data, one reads it and the others share its memory. Where
/// the host does not allow that, each rank reads its own.
/// Collective over `world`.
/// Throws: Error: usage for a split that does not fit, data for damage.
LocalData load_shared_data(Communicator& world, const Communicator& group, const Config& config,
                           const Dataset& dataset);

}  // namespace mnist_dist
