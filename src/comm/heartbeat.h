#pragma once
#include <functional>

#include "comm/communicator.h"

namespace mnist_dist {

/// Runs long work that rank 0 does for all (preparing the data) while the others wait: rank 0 works
/// on a second thread and its calling thread tells the others twice a second that it lives, so that
/// the wait may exceed the communicator's timeout. Collective. All return when the work is done; an
/// Error of the work is thrown on every rank. The work must not use the communicator.
void run_on_root(Communicator& communicator, const std::function<void()>& work);

}  // namespace mnist_dist
