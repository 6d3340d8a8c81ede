#include "comm/watchdog.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "base/awake_clock.h"
#include "base/error.h"
#include "base/error_text.h"
#include "comm/liveness.h"

namespace mnist_dist {
namespace {

/// False when it was stopped before.
bool sleep_awake(const std::stop_token& stop, double seconds) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  AwakeClock clock;
  while (clock.seconds() < seconds) {
    wake.wait_for(lock, stop, liveness::watchdog_look, [] { return false; });
    if (stop.stop_requested()) return false;
  }
  return true;
}

void guard(const std::stop_token& stop, double seconds,
           const std::function<Complaint()>& complain) {
  if (!sleep_awake(stop, seconds)) return;
  Complaint complaint = complain();
  if (complaint.patience > 0) {
    if (!sleep_awake(stop, complaint.patience)) return;
    complaint = complain();
  }
  write_to_stderr(error_text(complaint.error));
  _exit(static_cast<int>(ExitCode::device));
}

}  // namespace

Watchdog::Watchdog(double seconds, std::function<Complaint()> complain)
    : thread_([seconds, complain = std::move(complain)](const std::stop_token& stop) {
        guard(stop, seconds, complain);
      }) {}

void write_to_stderr(const std::string& text) {
  // Nothing is left to do when stderr is gone.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace mnist_dist
