#pragma once
#include <functional>

#include "comm/communicator.h"

namespace mnist_dist {

/// Runs `work` on rank 0 (preparing the data) while the others wait. Rank 0 works on a second
/// thread, and its calling thread sends a sign of life every 0.5 s, so that the wait may exceed the
/// communicator's timeout. All return when the work is done. The work must not use the
/// communicator.
/// Collective.
/// Throws: an Error of the work, on every rank.
void run_on_root(Communicator& communicator, const std::function<void()>& work);

}  // namespace mnist_dist
