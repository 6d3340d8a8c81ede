#include "engine/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace mnist_dist {
namespace {

TEST(ThreadPool, EachThreadRunsOncePerCallOnItsOwnThread) {
  ThreadPool pool(3);
  std::vector<int> calls(3, 0);
  std::vector<std::thread::id> ids(3);
  for (int round = 0; round < 1000; ++round)
    pool.run([&](int thread) {
      ++calls[static_cast<std::size_t>(thread)];
      ids[static_cast<std::size_t>(thread)] = std::this_thread::get_id();
    });
  EXPECT_EQ(calls, (std::vector{1000, 1000, 1000}));
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[1]);
}

TEST(ThreadPool, RethrowsTheLowestThreadsExceptionAndContinues) {
  ThreadPool pool(3);
  const auto fail = [](int thread) {
    if (thread > 0) throw std::runtime_error("thread " + std::to_string(thread));
  };
  for (int round = 0; round < 2; ++round) {
    try {
      pool.run(fail);
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "thread 1");
    }
  }
  std::atomic<int> calls = 0;
  pool.run([&](int) { ++calls; });
  EXPECT_EQ(calls, 3);
}

TEST(ThreadPool, WakesThreadsThatHadTimeToFallAsleep) {
  const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
  std::atomic<int> calls = 0;
  {
    ThreadPool pool(3);
    for (int round = 0; round < 3; ++round) {
      sleep();  // the helpers wait for work
      pool.run([&](int thread) {
        if (thread > 0) sleep();  // the caller waits for them
        ++calls;
      });
    }
    sleep();
  }
  EXPECT_EQ(calls, 9);
}

TEST(ThreadPool, EndsItsThreadsWhenTheNextCannotStart) {
#ifdef MNIST_DIST_SANITIZE
  GTEST_SKIP() << "sanitizers need address space of their own";
#endif
  const auto start_too_many = [] {
    // Threads need address space for their stacks: there is some for a few.
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto bytes = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      ThreadPool pool(1000);
    } catch (const std::system_error& error) {
      std::exit(error.code() == std::errc::resource_unavailable_try_again ? 0 : 1);
    }
    std::exit(2);
  };
  EXPECT_EXIT(start_too_many(), testing::ExitedWithCode(0), "");
}

TEST(ThreadPool, AtLeastTheCallingThread) { EXPECT_EQ(ThreadPool(0).size(), 1); }

}  // namespace
}  // namespace mnist_dist
