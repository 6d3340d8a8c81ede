#include "cli/world.h"

#include <fmt/format.h>

#include "base/signals.h"
#include "cli/failure.h"

namespace mnist_dist {

ExitCode in_world(double timeout_seconds, const std::function<ExitCode(Communicator&)>& work) {
  const std::unique_ptr<Communicator> world = make_world(detect_launcher(), timeout_seconds);
  try {
    return work(*world);
  } catch (...) {
    const Error error = as_error(std::current_exception());
    const bool interrupted = error.code() == ExitCode::interrupted;
    if (interrupted) stop_made();
    if (world->size() == 1) throw;
    if (interrupted && error.everywhere()) {
      // Before MPI's end, which takes longer than the second that mpirun leaves to its ranks.
      if (world->rank() == 0) print_error(error);
      return error.code();
    }
    if (error.everywhere()) throw;
    print_error(error, fmt::format("rank {}", world->rank()));
    world->abort(error.code());
    throw;  // not reached
  }
}

}  // namespace mnist_dist
