#include "base/signals.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace mnist_dist {
namespace {

class Signals : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    reset_stop_request();
    install_stop_handlers();
  }
  void TearDown() override { reset_stop_request(); }
};

TEST_P(Signals, FirstAsksForAStop) {
  EXPECT_FALSE(stop_requested());
  raise(GetParam());
  EXPECT_TRUE(stop_requested());
}

TEST_P(Signals, TheSameRequestDeliveredTwiceIsOne) {
  raise(SIGINT);
  raise(GetParam());
  EXPECT_TRUE(stop_requested());
}

TEST_P(Signals, SecondEndsAtOnce) {
  EXPECT_EXIT(
      {
        raise(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        raise(GetParam());
      },
      testing::ExitedWithCode(130), "^mnist-dist: second signal: stopped at once\n$");
}

TEST_P(Signals, OnceTheStopIsMadeItIsSilent) {
  EXPECT_EXIT(
      {
        raise(SIGINT);
        stop_made();
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        raise(GetParam());
      },
      testing::ExitedWithCode(130), "^$");
}

INSTANTIATE_TEST_SUITE_P(Stop, Signals, testing::Values(SIGINT, SIGTERM, SIGUSR1));

}  // namespace
}  // namespace mnist_dist
