#pragma once
#include <chrono>

namespace mnist_dist {

/// Seconds during which this process could run. Time while the process is stopped (Ctrl-Z and fg)
/// does not count, because all ranks were stopped together. A gap between two calls counts as at
/// most 0.25 s. Call it more often than that.
class AwakeClock {
 public:
  double seconds();

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
  Clock::duration total_{};
};

}  // namespace mnist_dist
