#include "comm/watchdog.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/awake_clock.h"
#include "base/error.h"

namespace mnist_dist {
namespace {

void guard(const std::stop_token& stop, double seconds, const std::string& complaint) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  AwakeClock clock;
  while (clock.seconds() < seconds) {
    wake.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
    if (stop.stop_requested()) return;
  }
  write_to_stderr(complaint);
  _exit(static_cast<int>(ExitCode::device));
}

}  // namespace

Watchdog::Watchdog(double seconds, std::string complaint)
    : thread_([seconds, text = std::move(complaint)](const std::stop_token& stop) { guard(stop, seconds, text); }) {}

void write_to_stderr(const std::string& text) {
  // Nothing is left to do when stderr is gone.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace mnist_dist
