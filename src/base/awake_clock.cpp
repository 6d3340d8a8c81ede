#include "base/awake_clock.h"

#include <algorithm>

namespace mnist_dist {

double AwakeClock::seconds() {
  const auto now = Clock::now();
  total_ += std::min<Clock::duration>(now - last_, std::chrono::milliseconds(250));
  last_ = now;
  return std::chrono::duration<double>(total_).count();
}

}  // namespace mnist_dist
