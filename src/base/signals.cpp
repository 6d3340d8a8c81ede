#include "base/signals.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "base/error.h"

namespace mnist_dist {
namespace {

// A signal handler can reach nothing but globals, and of those only lock-free atomics. Nanoseconds
// of the first signal, 0: none yet.
std::atomic<std::int64_t> first_signal{0};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

// The terminal, the reader or the CPU time is gone.
std::atomic<bool> surroundings_gone{false};

std::atomic<bool> leaving{false};
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr std::int64_t same_request = 300'000'000;

std::int64_t now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // one of the few functions that a handler may call
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

extern "C" void on_stop_signal(int) {
  const int saved_errno = errno;
  std::int64_t first = 0;
  const std::int64_t time = now();
  if (!first_signal.compare_exchange_strong(first, time) && time - first > same_request) {
    constexpr std::string_view line = "mnist-dist: second signal: stopped at once\n";
    if (!leaving) {
      [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    }
    _exit(static_cast<int>(ExitCode::interrupted));
  }
  errno = saved_errno;
}

extern "C" void on_lost_surroundings(int) { surroundings_gone = true; }

extern "C" void on_broken_pipe(int) {
  const int saved_errno = errno;
  pollfd outputs[] = {{STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}};  // errors are always reported
  // The signal does not name the descriptor, which may be a connection of a library.
  if (::poll(outputs, 2, 0) > 0 && ((outputs[0].revents | outputs[1].revents) & POLLERR))
    surroundings_gone = true;
  errno = saved_errno;
}

bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags =
      SA_RESTART;  // file and network calls continue. The flag is looked at between steps
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
  if (!is_ignored(SIGUSR2)) sigaction(SIGUSR2, &action, nullptr);
  action.sa_handler = on_lost_surroundings;
  for (const int signal : {SIGHUP, SIGXCPU})
    if (!is_ignored(signal)) sigaction(signal, &action, nullptr);
  action.sa_handler = on_broken_pipe;
  sigaction(SIGPIPE, &action, nullptr);
}

bool stop_requested() noexcept {
  return first_signal.load(std::memory_order_relaxed) != 0 ||
         surroundings_gone.load(std::memory_order_relaxed);
}

void ignore_file_size_signal() noexcept { std::signal(SIGXFSZ, SIG_IGN); }

void stop_made() noexcept { leaving = true; }

void reset_stop_request() noexcept {
  first_signal = 0;
  surroundings_gone = false;
  leaving = false;
}

}  // namespace mnist_dist
