#include "base/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

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

TEST_P(Signals, FirstRequestsAStop) {
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

TEST_P(Signals, AReaderThatWentAwayRequestsAStopAndIsNeverTheFirstOfTwo) {
  EXPECT_EXIT(
      {
        raise(SIGPIPE);  // as by a library's connection: stdout has its reader
        if (stop_requested()) _exit(1);
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) _exit(2);
        ::close(ends[0]);
        if (::write(STDOUT_FILENO, "x", 1) != -1 || !stop_requested()) _exit(3);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        raise(GetParam());
        _exit(stop_requested() ? 0 : 4);
      },
      testing::ExitedWithCode(0), "^$");
}

TEST_P(Signals, AReaderThatWentAwayIsNeverTheSecondOfTwo) {
  EXPECT_EXIT(
      {
        raise(GetParam());
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) _exit(2);
        ::close(ends[0]);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        _exit(::write(STDOUT_FILENO, "x", 1) == -1 && stop_requested() ? 0 : 3);
      },
      testing::ExitedWithCode(0), "^$");
}

INSTANTIATE_TEST_SUITE_P(Stop, Signals, testing::Values(SIGINT, SIGTERM, SIGUSR1, SIGUSR2));

class LostSurroundings : public Signals {};

TEST_P(LostSurroundings, RequestAStopHoweverOftenTheyArrive) {
  EXPECT_EXIT(
      {
        raise(GetParam());
        if (!stop_requested()) _exit(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        raise(GetParam());
        raise(SIGTERM);  // the first that was sent on purpose
        _exit(0);
      },
      testing::ExitedWithCode(0), "^$");
}

TEST_P(LostSurroundings, AreNeverTheSecondOfTwo) {
  EXPECT_EXIT(
      {
        raise(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        raise(GetParam());
        _exit(0);
      },
      testing::ExitedWithCode(0), "^$");
}

TEST_P(LostSurroundings, StayIgnoredWhereTheyAre) {
  EXPECT_EXIT(
      {
        reset_stop_request();
        std::signal(GetParam(), SIG_IGN);  // as nohup does
        install_stop_handlers();
        raise(GetParam());
        _exit(stop_requested() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "^$");
}

INSTANTIATE_TEST_SUITE_P(Gone, LostSurroundings, testing::Values(SIGHUP, SIGXCPU));

}  // namespace
}  // namespace mnist_dist
