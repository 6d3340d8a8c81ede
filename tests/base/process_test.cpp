#include "base/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace mnist_dist {
namespace {

TEST(Process, ThisOneRunsSinceItsStart) {
  const auto start = start_of_process(::getpid());
  EXPECT_GT(start, 0u);
  EXPECT_TRUE(process_runs(::getpid()));
  EXPECT_TRUE(process_runs(::getpid(), start));
  EXPECT_FALSE(process_runs(::getpid(), start + 1)) << "a later process with the same id";
  EXPECT_FALSE(process_runs(0));
}

TEST(Process, AZombieDoesNotRun) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(process_runs(child));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(process_runs(child));
}

}  // namespace
}  // namespace mnist_dist
