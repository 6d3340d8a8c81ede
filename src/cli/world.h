#pragma once
#include <functional>

#include "base/error.h"
#include "comm/communicator.h"

namespace mnist_dist {

/// Makes the world (MPI under a launcher, else one rank) and runs `work` on it. An error that one
/// rank alone meets is printed by it ("rank 2: ...") and ends all ranks with its exit code. Of one
/// that every rank throws, a stop by a signal is printed by rank 0, and the others continue to
/// main.
ExitCode in_world(double timeout_seconds, const std::function<ExitCode(Communicator&)>& work);

}  // namespace mnist_dist
