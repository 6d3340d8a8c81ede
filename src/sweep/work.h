#pragma once
#include <functional>

#include "comm/communicator.h"
#include "sweep/dispatch.h"

namespace mnist_dist {

/// To call between steps with the share of the seed that is done; true: stop after the next step.
using BetweenSteps = std::function<bool(double share)>;

/// Trains one seed on a group of ranks; the outcome counts on its rank 0. Throws Error (interrupted), on every rank of the group, when it stopped.
using Work = std::function<SeedOutcome(std::uint64_t seed, const BetweenSteps& between_steps)>;

/// A group's part of a sweep: works on seeds until rank 0 of the world ends it. Collective over `group`; `leader` on its rank 0 only.
SweepEnd work_through(Communicator& group, Leader* leader, const std::function<bool()>& stop_requested, const Work& work);

}  // namespace mnist_dist
