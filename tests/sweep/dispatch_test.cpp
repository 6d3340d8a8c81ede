#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <numeric>
#include <thread>

#include "comm/mpi_test.h"
#include "sweep/work.h"

namespace mnist_dist {
namespace {

using std::chrono::milliseconds;

/// A sweep of fake seeds over groups of the test's world.
class FakeSweep {
 public:
  FakeSweep(int ranks_per_run, int seeds) : ranks_per_run_(ranks_per_run), group_(test_world().split(test_world().rank() / ranks_per_run)) {
    seeds_.resize(static_cast<std::size_t>(seeds));
    std::iota(seeds_.begin(), seeds_.end(), 0);
  }

  /// How long seed N takes in a group; a step is a millisecond.
  std::function<milliseconds(int group, std::uint64_t seed)> duration = [](int, std::uint64_t) { return milliseconds(5); };
  /// Rank 0's word on an outcome.
  std::function<bool(const SeedOutcome&)> go_on = [](const SeedOutcome&) { return true; };
  std::function<bool()> stop_requested = [] { return false; };
  double timeout = 30;

  SweepEnd run() {
    Communicator& world = test_world();
    const auto reports = world.open_mailbox(), orders = world.open_mailbox();
    const SweepMail mail{*reports, *orders};
    std::optional<Dispatcher> dispatcher;
    std::vector<int> leaders;
    for (int rank = 0; rank < world.size(); rank += ranks_per_run_) leaders.push_back(rank);
    if (world.rank() == 0)
      dispatcher.emplace(mail, leaders, seeds_, timeout,
                         Dispatcher::Hooks{[this](const SeedOutcome& o) { return record(o); }, [](const SweepStatus&) {}});
    std::optional<Leader> leader;
    if (group_->rank() == 0) leader.emplace(mail, group(), dispatcher ? &*dispatcher : nullptr, timeout, stop_requested);
    const SweepEnd end = work_through(*group_, leader ? &*leader : nullptr, stop_requested,
                                      [this](std::uint64_t seed, const BetweenSteps& stop) { return work(seed, stop); });
    world.barrier();
    return end;
  }

  std::map<std::uint64_t, int> trained_by;  ///< on rank 0: seed -> group
  std::vector<std::uint64_t> mine;          ///< seeds this rank worked on, stopped ones included

 private:
  int group() const { return test_world().rank() / ranks_per_run_; }
  bool record(const SeedOutcome& outcome) {
    EXPECT_FALSE(trained_by.contains(outcome.seed)) << "twice";
    trained_by[outcome.seed] = outcome.group;
    return go_on(outcome);
  }
  SeedOutcome work(std::uint64_t seed, const BetweenSteps& between_steps) {
    mine.push_back(seed);
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
      if (any_stop) throw Error(ExitCode::interrupted, "stopped", "").mark_everywhere();
    }
    SeedOutcome outcome;
    outcome.seed = seed;
    outcome.group = group();
    return outcome;
  }

  int ranks_per_run_;
  std::unique_ptr<Communicator> group_;
  std::vector<std::uint64_t> seeds_;
};

TEST(Dispatch, EverySeedIsTrainedOnce) {
  for (const int ranks_per_run : {1, 2, 3}) {
    SCOPED_TRACE(ranks_per_run);
    FakeSweep sweep(ranks_per_run, 23);
    EXPECT_EQ(sweep.run(), SweepEnd::complete);
    if (test_world().rank() == 0) {
      EXPECT_EQ(sweep.trained_by.size(), 23u);
    }
  }
}

TEST(Dispatch, NothingToDoEndsAtOnce) {
  FakeSweep sweep(1, 0);
  EXPECT_EQ(sweep.run(), SweepEnd::complete);
}

TEST(Dispatch, ASlowGroupDoesNotHoldOthersUp) {
  const int groups = test_world().size();
  if (groups < 2) GTEST_SKIP() << "one group";
  const int slow = groups - 1;
  FakeSweep sweep(1, 40);
  sweep.duration = [slow](int group, std::uint64_t) { return milliseconds(group == slow ? 400 : 10); };
  EXPECT_EQ(sweep.run(), SweepEnd::complete);
  if (test_world().rank() != 0) return;
  int by_slow = 0;
  for (const auto& [seed, group] : sweep.trained_by) by_slow += group == slow;
  EXPECT_GE(by_slow, 1);
  EXPECT_LE(by_slow, 4) << "a fair share would be " << 40 / groups;
}

// Rank 0 is the one that answers, and the one that may be slow.
TEST(Dispatch, OthersWorkWhileRankZeroTrains) {
  if (test_world().size() < 2) GTEST_SKIP() << "one group";
  FakeSweep sweep(1, 30);
  sweep.duration = [](int group, std::uint64_t) { return milliseconds(group == 0 ? 500 : 10); };
  EXPECT_EQ(sweep.run(), SweepEnd::complete);
  if (test_world().rank() != 0) return;
  int by_zero = 0;
  for (const auto& [seed, group] : sweep.trained_by) by_zero += group == 0;
  EXPECT_LE(by_zero, 3);
}

// Groups that are done wait longer than the timeout of silence for the last one: its signs of life, and rank 0's, keep them waiting.
TEST(Dispatch, WaitingForTheLastGroupIsNotAHang) {
  const int groups = test_world().size();
  for (const int last : {0, groups - 1}) {
    SCOPED_TRACE(last);
    FakeSweep sweep(1, groups);
    sweep.timeout = 2;
    sweep.duration = [last](int group, std::uint64_t) { return milliseconds(group == last ? 3200 : 200); };  // 200: long enough for each to get one
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(sweep.run(), SweepEnd::complete);
    EXPECT_GT(std::chrono::steady_clock::now() - begin, milliseconds(3000)) << "the last group had nothing to do";
  }
}

TEST(Dispatch, AHopelessSweepStopsEverybody) {
  FakeSweep sweep(1, 1000);
  sweep.duration = [](int, std::uint64_t seed) { return milliseconds(seed == 3 ? 20 : seed < 3 ? 5 : 60000); };
  sweep.go_on = [](const SeedOutcome& outcome) { return outcome.seed != 3; };
  EXPECT_EQ(sweep.run(), SweepEnd::hopeless);
  if (test_world().rank() == 0) {
    EXPECT_EQ(sweep.trained_by.size(), 4u);
  }
}

TEST(Dispatch, ASignalOnOneRankStopsAll) {
  for (const int ranks_per_run : {1, 2}) {
    SCOPED_TRACE(ranks_per_run);
    FakeSweep sweep(ranks_per_run, 1000);
    const bool told = test_world().rank() == test_world().size() - 1;
    sweep.duration = [](int, std::uint64_t) { return milliseconds(60000); };
    sweep.stop_requested = [&] { return told && !sweep.mine.empty(); };  // once it trains, however long that took to begin
    EXPECT_EQ(sweep.run(), SweepEnd::interrupted);
    if (told) {
      EXPECT_EQ(sweep.mine.size(), 1u);
    }
    EXPECT_LE(sweep.mine.size(), 1u);
    if (test_world().rank() == 0) {
      EXPECT_TRUE(sweep.trained_by.empty());
    }
  }
}

TEST(Dispatch, ASignalWhileWaitingStopsTheOthers) {
  FakeSweep sweep(1, test_world().size());
  const int idle = test_world().size() - 1;
  const auto begin = std::chrono::steady_clock::now();
  sweep.duration = [=](int group, std::uint64_t) { return milliseconds(group == idle && idle > 0 ? 1 : 60000); };
  sweep.stop_requested = [=] { return test_world().rank() == idle && std::chrono::steady_clock::now() - begin > milliseconds(200); };
  EXPECT_EQ(sweep.run(), SweepEnd::interrupted);
}

}  // namespace
}  // namespace mnist_dist
