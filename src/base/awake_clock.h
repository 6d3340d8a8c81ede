#pragma once
#include <chrono>

namespace mnist_dist {

/// Seconds during which this process could run. A clock on the wall would blame the other ranks
/// after Ctrl-Z and fg, when all ranks stood still together: a gap between two looks at this clock
/// counts as at most a quarter of a second. Look at it more often than that.
class AwakeClock {
 public:
  double seconds();

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
  Clock::duration total_{};
};

}  // namespace mnist_dist
