#pragma once
#include <memory>
#include <span>
#include <string>

#include "comm/communicator.h"
#include "comm/device_reducer.h"

namespace mnist_dist {

/// This rank's GPU: of those that it can use the one with its number on this host, or the only one
/// where the launcher gave it one. The ranks of `group` need one each. Different groups may share
/// one.
/// Collective in both.
/// Throws: Error (device), on every rank of the world, when a rank has none or two of a group have
/// the same.
int choose_gpu(Communicator& world, Communicator& group);

/// make_device_reducer (comm/device_reducer.h) of the library for GPUs.
/// Throws: Error (device) also when that library cannot be opened.
std::unique_ptr<Reducer> make_gpu_reducer(Communicator& group, int gpu,
                                          const DeviceCommOptions& options);

/// Two ranks with the same GPU as "ranks 0 and 2", otherwise "". `chosen`: the ids of their GPUs,
/// by rank, "" if unknown.
std::string who_shares(std::span<const std::string> chosen);

}  // namespace mnist_dist
