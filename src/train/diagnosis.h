#pragma once
#include <span>

#include "comm/communicator.h"
#include "config/config.h"
#include "engine/engine.h"
#include "train/observer.h"

namespace mnist_dist {

/// Finds out, together with all ranks, where a step's values stopped being finite, and throws the
/// same Error (diverged) on each: step, learning rate, layer, and the rank and shard of the bad
/// slice. Epoch and step count from 0.
[[noreturn]] void throw_diverged(Communicator& comm, Engine& engine, const Config& config,
                                 std::uint32_t epoch, int step, std::span<const float> rates);

/// Throws: Error (diverged), naming the layer, when the last update left a parameter that is not
/// finite: no later step would notice.
void check_finite_parameters(const Config& config, const TrainState& state, std::int64_t steps);

/// The same when the delivered weights are finite, but not their loss. Only an evaluation finds
/// that.
void check_finite_loss(const Score& delivered, std::int64_t steps);

}  // namespace mnist_dist
