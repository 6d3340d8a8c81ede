#include "base/awake_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace mnist_dist {
namespace {

using std::chrono::milliseconds;

TEST(AwakeClock, CountsTimeThatIsLookedAt) {
  const auto start = std::chrono::steady_clock::now();
  AwakeClock clock;
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    clock.seconds();
  }
  const double seconds = clock.seconds();
  EXPECT_GE(seconds, 0.4);
  EXPECT_LE(seconds,
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

TEST(AwakeClock, AStoppedProcessDoesNotAge) {
  AwakeClock clock;
  std::this_thread::sleep_for(milliseconds(1000));  // as after Ctrl-Z and fg: no call
  EXPECT_LE(clock.seconds(), 0.5);
}

}  // namespace
}  // namespace mnist_dist
