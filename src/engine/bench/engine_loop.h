#pragma once
#include <memory>

#include "engine/engine.h"
#include "engine/training_loop.h"

namespace mnist_dist {

/// A recipe's whole training step, timed as a run does it: augmentation, forward, backward, the sum
/// over shards, optimiser and averages. Images are drawn digits in memory. There are no other
/// ranks. `reduce` adds the shards where the engine's vectors are not on the host. An epoch has
/// `steps` steps: the work once per epoch weighs more than in a run.
std::unique_ptr<TrainingLoop> make_engine_loop(std::unique_ptr<Engine> engine, const Config& config,
                                               int steps = 16, Reduce reduce = {});

}  // namespace mnist_dist
