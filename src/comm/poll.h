#pragma once
#include <sched.h>

#include <chrono>

namespace mnist_dist {

/// Calls `done` until it says true, at most for `limit`; returns what it said last. Spins while an
/// answer is a message away; then lets others have the core between calls, since with more ranks
/// than cores the one we wait for needs it.
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
