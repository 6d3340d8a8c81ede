#pragma once
#include <sched.h>

#include <chrono>

namespace mnist_dist {

/// Calls `done` until it returns true, at most for `limit`. Returns its last result. Spins for the
/// time of a message, then yields the core between calls, because with more ranks than cores the
/// awaited rank needs it.
template <class Done>
bool poll_for(std::chrono::microseconds limit, Done&& done) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::microseconds spin{20};
  const auto start = Clock::now();
  while (!done()) {
    const auto waited = Clock::now() - start;
    if (waited > limit) return false;
    if (waited > spin) sched_yield();
  }
  return true;
}

}  // namespace mnist_dist
