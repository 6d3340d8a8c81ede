#pragma once
#include <sched.h>

#include <chrono>

#include "comm/liveness.h"

namespace mnist_dist {

/// Calls `done` until it returns true, at most for `limit`. Returns its last result. Spins for
/// `liveness::spin`, then yields the core between calls, because with more ranks than cores the
/// awaited rank needs it.
template <class Done>
bool poll_for(std::chrono::microseconds limit, Done&& done) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  while (!done()) {
    const auto waited = Clock::now() - start;
    if (waited > limit) return false;
    if (waited > liveness::spin) sched_yield();
  }
  return true;
}

}  // namespace mnist_dist
