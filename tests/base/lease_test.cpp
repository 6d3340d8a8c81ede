#include "base/lease.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct LeaseTest : testing::Test {
  TemporaryFolder folder;
  fs::path file = folder / "lease";

  std::vector<std::string> names() const { return names_in(folder.path()); }

  /// Runs `work` in a process of its own, which is then killed.
  template <class Work>
  static void in_killed_process(const Work& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      work();
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  void leave_a_dead_ones() {
    in_killed_process([&] {
      const auto lease = LeaseSeeker(file).try_take();
      ::kill(::getpid(), SIGKILL);
    });
    ASSERT_TRUE(fs::exists(file));
  }

  /// As a process on another host would write it.
  void write_foreign(int renewals) const {
    write_file_atomically(file,
                          "lease 00000000deadbeef\nnode 0123456789abcdef\nhost far\nprocess "
                          "1\nstarted 1\ninode 1\nrenewals " +
                              std::to_string(renewals) + "\n");
  }
};

TEST_F(LeaseTest, IsHeldByOneAndGoesWithIt) {
  {
    const auto first = LeaseSeeker(file).try_take();
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->in_place());
    LeaseSeeker second(file);
    EXPECT_FALSE(second.try_take());
    EXPECT_TRUE(second.holder_lives());
    EXPECT_THAT(second.holder(),
                testing::HasSubstr("process " + std::to_string(::getpid()) + " on host "));
    EXPECT_EQ(names(), std::vector<std::string>{"lease"});
  }
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(LeaseSeeker(file).try_take());
}

TEST_F(LeaseTest, OfADeadProcessIsTakenOverAtOnce) {
  leave_a_dead_ones();
  const auto lease = LeaseSeeker(file).try_take();
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->in_place());
  EXPECT_EQ(names(), std::vector<std::string>{"lease"});
}

TEST_F(LeaseTest, OfAStoppedProcessIsHeld) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lease = LeaseSeeker(file).try_take();
    for (;;) ::pause();
  }
  while (!fs::exists(file)) std::this_thread::sleep_for(1ms);
  ::kill(child, SIGSTOP);
  LeaseSeeker seeker(file, {.renewal = 5ms, .stale = 20ms});
  for (int i = 0; i < 10; ++i, std::this_thread::sleep_for(10ms)) EXPECT_FALSE(seeker.try_take());
  EXPECT_TRUE(seeker.holder_lives());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(seeker.try_take());
}

TEST_F(LeaseTest, OfAStoppedProcessBecomesStaleWhereRunningIsNotEnough) {
  const LeasePace pace{.renewal = 5ms, .stale = 150ms, .running_keeps = false};
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lease = LeaseSeeker(file, pace).try_take();
    for (;;) ::pause();
  }
  while (!fs::exists(file)) std::this_thread::sleep_for(1ms);
  LeaseSeeker seeker(file, pace);
  for (int i = 0; i < 40; ++i, std::this_thread::sleep_for(10ms))
    EXPECT_FALSE(seeker.try_take()) << "it renews its lease";
  ::kill(child, SIGSTOP);
  std::optional<Lease> lease;
  int looks = 0;
  for (; !lease && looks < 1000; ++looks, std::this_thread::sleep_for(10ms))
    lease = seeker.try_take();
  EXPECT_GT(looks, 3) << "not at once";
  EXPECT_TRUE(lease);
  ::kill(child, SIGCONT);
  for (int i = 0; i < 10; ++i, std::this_thread::sleep_for(10ms))
    EXPECT_TRUE(lease->in_place()) << "the process does not renew what is another's";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(LeaseTest, IsHeldAtOneLookWhileItsProcessRuns) {
  EXPECT_FALSE(lease_is_held(file));
  {
    const auto lease = LeaseSeeker(file).try_take();
    fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
    EXPECT_TRUE(lease_is_held(file));
  }
  leave_a_dead_ones();
  EXPECT_FALSE(lease_is_held(file)) << "although it was written just now";
}

TEST_F(LeaseTest, OfADifferentHostIsHeldAtOneLookWhenItIsNew) {
  write_foreign(1);
  EXPECT_TRUE(lease_is_held(file));
  fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
  EXPECT_FALSE(lease_is_held(file));
  EXPECT_EQ(names(), std::vector<std::string>{"lease"}) << "nothing is left of the look";
}

TEST_F(LeaseTest, RecordsHowMuchIsDone) {
  EXPECT_FALSE(lease_share(file));
  auto lease = LeaseSeeker(file, {.renewal = 5ms, .stale = 150ms}).try_take();
  EXPECT_EQ(lease_share(file), 0);
  lease->set_share(0.25);
  for (int i = 0; i < 1000 && lease_share(file) != 0.25; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(lease_share(file), 0.25);
  write_foreign(1);
  EXPECT_EQ(lease_share(file), 0) << "of an earlier version";
}

TEST_F(LeaseTest, OfADifferentHostIsHeldWhileItChanges) {
  LeaseSeeker seeker(file, {.renewal = 5ms, .stale = 150ms});
  for (int renewals = 0; renewals < 10; ++renewals) {
    write_foreign(renewals);
    EXPECT_FALSE(seeker.try_take());
    EXPECT_EQ(seeker.holder_lives(), renewals > 0) << "the first look cannot tell";
    std::this_thread::sleep_for(50ms);
  }
}

TEST_F(LeaseTest, OfADifferentHostIsTakenOverWhenItDoesNotChange) {
  write_foreign(7);
  LeaseSeeker seeker(file, {.renewal = 5ms, .stale = 150ms});
  std::optional<Lease> lease;
  int looks = 0;
  for (; !lease && looks < 1000; ++looks, std::this_thread::sleep_for(10ms)) {
    lease = seeker.try_take();
    EXPECT_FALSE(seeker.holder_lives());
  }
  EXPECT_GT(looks, 3) << "not at once";
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->in_place());
}

TEST_F(LeaseTest, ThatIsLookedAtRarelyIsStaleByASharedClock) {
  write_foreign(7);
  const LeasePace pace{.renewal = 5ms, .stale = 600ms};
  const auto clock = std::make_shared<AwakeClock>();
  LeaseSeeker alone(file, pace), shared(file, pace, clock);
  EXPECT_FALSE(alone.try_take());
  EXPECT_FALSE(shared.try_take());
  for (int i = 0; i < 90; ++i, std::this_thread::sleep_for(10ms)) clock->seconds();
  EXPECT_FALSE(alone.try_take()) << "this process may have been stopped";
  EXPECT_TRUE(shared.try_take());
}

TEST_F(LeaseTest, IsRenewedSoThatOtherHostsSeeIt) {
  const auto lease = LeaseSeeker(file, {.renewal = 5ms, .stale = 150ms}).try_take();
  const std::string before = read_text_file(file);
  for (int i = 0; i < 1000 && read_text_file(file) == before; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_NE(read_text_file(file), before);
  EXPECT_TRUE(lease->in_place()) << "it is the same lease";
}

TEST_F(LeaseTest, WithoutATextIsWatchedToo) {
  write_file_atomically(file,
                        std::string_view(""));  // killed between making the file and writing it
  LeaseSeeker seeker(file, {.renewal = 5ms, .stale = 50ms});
  EXPECT_FALSE(seeker.try_take());
  std::optional<Lease> lease;
  for (int i = 0; !lease && i < 1000; ++i, std::this_thread::sleep_for(5ms))
    lease = seeker.try_take();
  EXPECT_TRUE(lease);
}

TEST_F(LeaseTest, APipeOrALinkInItsPlaceIsRejectedWithoutWaiting) {
  const auto expect_refused = [&](const char* what) {
    EXPECT_THAT(data_failure([&] { LeaseSeeker(file).try_take(); }),
                testing::HasSubstr(file.string()))
        << what;
    fs::remove(file);
  };
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  expect_refused("pipe");
  fs::create_symlink("nowhere", file);
  expect_refused("link");
}

TEST_F(LeaseTest, ACopyOfAFolderIsNotHeld) {
  const auto lease = LeaseSeeker(file).try_take();
  fs::copy_file(file, folder / "copy");
  EXPECT_TRUE(LeaseSeeker(folder / "copy").try_take());
  EXPECT_TRUE(lease->in_place());
}

TEST_F(LeaseTest, DetectsThatItWasLost) {
  auto lease = LeaseSeeker(file).try_take();
  write_foreign(0);
  EXPECT_FALSE(lease->in_place());
  lease.reset();
  EXPECT_TRUE(fs::exists(file)) << "removes no lease but its own";
  fs::remove(file);
  const auto again = LeaseSeeker(file).try_take();
  fs::remove(file);
  EXPECT_FALSE(again->in_place());
}

TEST_F(LeaseTest, AStaleOneIsTakenOverByOneOfMany) {
  constexpr int rounds = 20, seekers = 6;
  for (int round = 0; round < rounds; ++round) {
    leave_a_dead_ones();
    int gate[2], winners[2];
    ASSERT_EQ(::pipe(gate) + ::pipe(winners), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < seekers; ++i) {
      children.push_back(::fork());
      if (children.back() != 0) continue;
      ::close(gate[1]);
      ::close(winners[0]);
      char nothing = 0;
      [[maybe_unused]] ssize_t ended =
          ::read(gate[0], &nothing, 1);  // all begin when the gate closes
      LeaseSeeker seeker(file);
      std::optional<Lease> lease;
      while (!(lease = seeker.try_take()) && !seeker.holder_lives()) {
      }
      if (lease && lease->in_place()) ended = ::write(winners[1], "w", 1);
      ::close(winners[1]);
      for (;;) ::pause();  // who has it keeps it until all have tried
    }
    ::close(gate[0]);
    ::close(winners[1]);
    ::close(gate[1]);
    std::string won(seekers + 1, '\0');
    std::size_t size = 0;
    for (ssize_t n = 0; (n = ::read(winners[0], won.data() + size, won.size() - size)) > 0;)
      size += static_cast<std::size_t>(n);
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    ::close(winners[0]);
    ASSERT_EQ(size, 1u) << "round " << round;
  }
}

TEST_F(LeaseTest, AProcessKilledWhileTakingOverBlocksNoOther) {
  leave_a_dead_ones();
  const std::string text = read_text_file(file);
  const std::string id = text.substr(6, text.find('\n') - 6);
  in_killed_process([&] {
    const auto right = LeaseSeeker(folder / ("lease." + id)).try_take();
    ::kill(::getpid(), SIGKILL);
  });
  ASSERT_TRUE(fs::exists(folder / ("lease." + id)));
  EXPECT_TRUE(LeaseSeeker(file).try_take());
}

TEST_F(LeaseTest, NamesTheReasonItCannotBeMade) {
  EXPECT_THAT(data_failure([&] { LeaseSeeker(folder / "no/folder").try_take(); }),
              testing::HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace mnist_dist
