#include "sweep/worker.h"

#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <map>
#include <numeric>
#include <optional>
#include <thread>

#include "base/file.h"
#include "comm/broadcast_text.h"
#include "comm/mpi_test.h"
#include "sweep/places.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// A sweep of fake seeds over groups of the test's world. A row has the group that wrote it.
class FakeSweep {
 public:
  FakeSweep(int ranks_per_run, int seeds)
      : ranks_per_run_(ranks_per_run), group_(test_world().split(group())), seeds_(seeds) {
    std::iota(seeds_.begin(), seeds_.end(), 0);
    if (test_world().rank() == 0) temporary_.emplace();
    folder_ = broadcast_text(test_world(), temporary_ ? temporary_->path().string() : "");
    if (test_world().rank() == 0) {
      fs::create_directories(row_block(folder_, 0));
      fs::create_directory(folder_ / "runs");
    }
    test_world().barrier();
  }
  ~FakeSweep() { test_world().barrier(); }

  /// Time that seed N takes in a group. A step is a millisecond.
  std::function<milliseconds(int group, std::uint64_t seed)> duration = [](int, std::uint64_t) {
    return milliseconds(5);
  };
  std::function<bool()> hopeless = [] { return false; };
  std::function<bool()> stop_requested = [] { return false; };
  LeasePace pace{.renewal = milliseconds(100), .stale = milliseconds(2000), .running_keeps = false};

  SweepEnd run() {
    std::optional<GroupLeader> leader;
    if (group_->rank() == 0)
      leader.emplace(SeedQueue(folder_, seeds_, pace), StopSign(folder_ / ".stop"),
                     StopSign(folder_ / ".miss"),
                     GroupLeader::Hooks{[this](const SeedOutcome& o) { record(o); }, hopeless,
                                        stop_requested});
    const SweepEnd end =
        run_group(*group_, leader ? &*leader : nullptr, stop_requested,
                  [this](std::uint64_t seed, FolderLock* lock, const BetweenSteps& stop) {
                    return work(seed, lock, stop);
                  });
    test_world().barrier();
    return end;
  }

  const fs::path& folder() const { return folder_; }
  /// Seed -> group, of the rows.
  std::map<std::uint64_t, int> trained_by() const {
    std::map<std::uint64_t, int> by;
    for (const std::uint64_t seed : rows_in(folder_, 0))
      by[seed] = std::stoi(read_text_file(row_file(folder_, seed)));
    return by;
  }
  int trained_by(int group) const {
    int count = 0;
    for (const auto& [seed, by] : trained_by()) count += by == group;
    return count;
  }
  std::vector<std::uint64_t> mine;  ///< seeds this rank worked on, stopped ones included

 private:
  int group() const { return test_world().rank() / ranks_per_run_; }
  void record(const SeedOutcome& outcome) {
    EXPECT_TRUE(create_file_atomically(row_file(folder_, outcome.seed), std::to_string(group())))
        << "seed " << outcome.seed << " twice";
  }
  SeedOutcome work(std::uint64_t seed, FolderLock* lock, const BetweenSteps& between_steps) {
    mine.push_back(seed);
    EXPECT_EQ(lock != nullptr, group_->rank() == 0);
    const auto end = std::chrono::steady_clock::now() + duration(group(), seed);
    bool working = true;
    while (working) {  // as the trainer: what one rank is asked stops all after the same step
      const bool stop = between_steps(0.5);
      std::this_thread::sleep_for(milliseconds(1));
      working = std::chrono::steady_clock::now() < end;
      std::array<bool, 2> flags{stop, working};
      bool any_stop = false, any_working = false;
      for (const auto& bytes : group_->all_gather(std::as_bytes(std::span(flags))))
        any_stop |= std::to_integer<bool>(bytes[0]), any_working |= std::to_integer<bool>(bytes[1]);
      working = any_working;
      if (any_stop) throw on_all_ranks(Error(ExitCode::interrupted, "stopped", ""));
    }
    SeedOutcome outcome;
    outcome.seed = seed;
    return outcome;
  }

  int ranks_per_run_;
  std::unique_ptr<Communicator> group_;
  std::vector<std::uint64_t> seeds_;
  std::optional<TemporaryFolder> temporary_;
  fs::path folder_;
};

TEST(Worker, EverySeedIsTrainedOnce) {
  for (const int ranks_per_run : {1, 2, 3}) {
    SCOPED_TRACE(ranks_per_run);
    FakeSweep sweep(ranks_per_run, 23);
    EXPECT_EQ(sweep.run(), SweepEnd::complete);
    EXPECT_EQ(sweep.trained_by().size(), 23u);
  }
}

TEST(Worker, NothingToDoEndsAtOnce) {
  FakeSweep sweep(1, 0);
  EXPECT_EQ(sweep.run(), SweepEnd::complete);
}

TEST(Worker, ASlowGroupDoesNotHoldOthersUp) {
  const int groups = test_world().size();
  if (groups < 2) GTEST_SKIP() << "one group";
  for (const int slow : {0, groups - 1}) {
    FakeSweep sweep(1, 40);
    sweep.duration = [slow](int group, std::uint64_t) {
      return milliseconds(group == slow ? 1500 : 10);
    };
    EXPECT_EQ(sweep.run(), SweepEnd::complete);
    EXPECT_LE(sweep.trained_by(slow), 20 / groups) << "a fair share would be " << 40 / groups;
  }
}

TEST(Worker, TheClaimOfADeadWorkerIsTakenOver) {
  FakeSweep sweep(1, 5);
  if (test_world().rank() == 0) {
    fs::create_directory(sweep.folder() / "runs/seed2");
    write_file_atomically(lease_file(sweep.folder() / "runs/seed2"),
                          std::string_view("lease 00000000deadbeef\nnode 0123456789abcdef\n"
                                           "host far\nprocess 1\nstarted 1\ninode 1\n"
                                           "renewals 7\n"));
  }
  test_world().barrier();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(sweep.run(), SweepEnd::complete);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, milliseconds(1500)) << "it may have lived";
  EXPECT_EQ(sweep.trained_by().size(), 5u);
}

TEST(Worker, ALostClaimIsLeftToTheOneThatHasIt) {
  FakeSweep sweep(1, test_world().size());
  std::optional<Lease> other;
  std::jthread release;
  bool lost = false;
  sweep.duration = [&](int, std::uint64_t seed) {
    if (seed != 0 || lost) return milliseconds(5);
    lost = true;  // as a worker that was stopped for long finds it
    const fs::path file = lease_file(sweep.folder() / "runs/seed0");
    fs::remove(file);
    other = LeaseSeeker(file).try_take();
    release = std::jthread([&other] {
      std::this_thread::sleep_for(milliseconds(2500));
      other.reset();
    });
    return milliseconds(60000);
  };
  EXPECT_EQ(sweep.run(), SweepEnd::complete);
  EXPECT_EQ(sweep.trained_by().size(), static_cast<std::size_t>(test_world().size()));
}

TEST(Worker, AHopelessSweepStopsEverybody) {
  FakeSweep sweep(1, 1000);
  sweep.duration = [](int, std::uint64_t seed) { return milliseconds(seed < 3 ? 5 : 60000); };
  // The others learn it from that group's leader.
  sweep.hopeless = [&] { return test_world().rank() == 0 && sweep.trained_by().size() == 3; };
  EXPECT_EQ(sweep.run(), SweepEnd::hopeless);
  EXPECT_EQ(sweep.trained_by().size(), 3u);
}

TEST(Worker, ASignalOnOneRankStopsAll) {
  for (const int ranks_per_run : {1, 2}) {
    SCOPED_TRACE(ranks_per_run);
    FakeSweep sweep(ranks_per_run, 1000);
    const bool signalled = test_world().rank() == test_world().size() - 1;
    sweep.duration = [](int, std::uint64_t) { return milliseconds(60000); };
    // Once it trains, however long that took to begin.
    sweep.stop_requested = [&] { return signalled && !sweep.mine.empty(); };
    EXPECT_EQ(sweep.run(), SweepEnd::interrupted);
    if (signalled) {
      EXPECT_EQ(sweep.mine.size(), 1u);
    }
    EXPECT_LE(sweep.mine.size(), 1u);
    EXPECT_TRUE(sweep.trained_by().empty());
  }
}

TEST(Worker, ASignalWhileWaitingStopsTheOthers) {
  FakeSweep sweep(1, test_world().size());
  const int idle = test_world().size() - 1;
  const auto begin = std::chrono::steady_clock::now();
  sweep.duration = [=](int group, std::uint64_t) {
    test_world().barrier();  // each rank has a seed, and none is left
    return milliseconds(group == idle && idle > 0 ? 1 : 60000);
  };
  sweep.stop_requested = [=] {
    return test_world().rank() == idle &&
           std::chrono::steady_clock::now() - begin > milliseconds(1000);
  };
  EXPECT_EQ(sweep.run(), SweepEnd::interrupted);
}

}  // namespace
}  // namespace mnist_dist
