#pragma once
#include <functional>

#include "base/error.h"
#include "comm/communicator.h"

namespace mnist_dist {

/// Makes the world (MPI under a launcher, else one rank), runs `work` on it, and prints the error
/// that ends it: rank 0 prints one that every rank meets. One that a rank alone meets is printed by
/// that rank ("rank 2: ...") and ends all ranks with its exit code.
ExitCode in_world(double timeout_seconds, const std::function<ExitCode(Communicator&)>& work);

/// For an error that this rank met before it was in the world. Other ranks are in in_world, or met
/// an error, too.
ExitCode end_in_world(const Error& error);

}  // namespace mnist_dist
