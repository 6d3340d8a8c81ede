#include "cli/world.h"

#include <fmt/format.h>

#include "base/signals.h"
#include "cli/failure.h"
#include "cli/first_rank.h"
#include "config/config.h"
#include "train/agreement.h"

namespace mnist_dist {
namespace {

ExitCode end(Communicator& world, const Error& error) {
  if (error.code() == ExitCode::interrupted) stop_made();
  if (world.size() == 1 || error.is_on_all_ranks()) {
    // The world's end waits for all ranks. So rank 0 has printed before the launcher, which ends
    // all ranks as soon as one has failed, sees the first exit code.
    if (world.rank() == 0) print_error(error);
    return error.code();
  }
  print_error(error, fmt::format("rank {}", world.rank()));
  world.abort(error.code());
  return error.code();  // not reached
}

ExitCode meet(double timeout_seconds, const std::optional<Error>& before,
              const std::function<ExitCode(Communicator&)>& work) {
  std::unique_ptr<Communicator> world;
  try {
    world = make_world(detect_launcher(), timeout_seconds);
  } catch (...) {
    if (before) return report_failure(std::make_exception_ptr(*before));
    const Error error = as_error(std::current_exception());
    return error.is_on_all_ranks() && launched_rank() > 0
               ? ExitCode::ok
               : report_failure(std::current_exception());
  }
  try {
    throw_first(*world, before);
    return work(*world);
  } catch (...) {
    return end(*world, as_error(std::current_exception()));
  }
}

}  // namespace

ExitCode in_world(double timeout_seconds, const std::function<ExitCode(Communicator&)>& work) {
  return meet(timeout_seconds, {}, work);
}

ExitCode end_in_world(const Error& error) {
  return meet(CommConfig{}.timeout, error, [](Communicator&) { return ExitCode::internal; });
}

}  // namespace mnist_dist
