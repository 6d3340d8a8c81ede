#include "comm/on_root.h"

#include <future>
#include <optional>

#include "comm/broadcast_text.h"
#include "comm/liveness.h"

namespace mnist_dist {
namespace {

enum class Status : unsigned char { working, done, failed };

Status broadcast_status(Communicator& communicator, Status status) {
  communicator.broadcast(std::as_writable_bytes(std::span(&status, 1)), 0);
  return status;
}

[[noreturn]] void throw_everywhere(Communicator& communicator, const Error& roots) {
  int code = static_cast<int>(roots.code());
  communicator.broadcast(std::as_writable_bytes(std::span(&code, 1)), 0);
  const std::string what = broadcast_text(communicator, roots.what());
  const std::string hint = broadcast_text(communicator, roots.hint());
  throw on_all_ranks(Error(static_cast<ExitCode>(code), what, hint));
}

/// The error of the work, if any.
std::optional<Error> error_of(std::future<void>& work) {
  try {
    work.get();
    return std::nullopt;
  } catch (...) {
    return as_error(std::current_exception());
  }
}

void wait_for_root(Communicator& communicator) {
  Status status = Status::working;
  while (status == Status::working) status = broadcast_status(communicator, status);
  if (status == Status::failed) throw_everywhere(communicator, Error(ExitCode::internal, "", ""));
}

}  // namespace

void run_on_root(Communicator& communicator, const std::function<void()>& work) {
  if (communicator.rank() != 0) return wait_for_root(communicator);
  std::future<void> running = std::async(std::launch::async, work);
  while (running.wait_for(liveness::beat) != std::future_status::ready)
    broadcast_status(communicator, Status::working);
  const auto error = error_of(running);
  broadcast_status(communicator, error ? Status::failed : Status::done);
  if (error) throw_everywhere(communicator, *error);
}

}  // namespace mnist_dist
