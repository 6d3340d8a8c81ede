#include <gmock/gmock.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/cpus.h"
#include "base/median.h"
#include "engine/bench/engine_loop.h"
#include "engine/bench/fma_peak.h"
#include "engine/bench/pinning.h"
#include "engine/bench/pytorch_peer.h"
#include "engine/bench/rounds.h"
#include "engine/registry.h"
#include "failures.h"
#include "temporary_folder.h"
#include "test_model.h"

namespace mnist_dist {
namespace {

TEST(Bench, MedianOfOddAndEvenCounts) {
  EXPECT_EQ(median({5, 1, 3}), 3);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(Bench, FlopsAreFourPerMacOfTheFirstLayerWithWeightsAndSixElsewhere) {
  // [1][14][14] after the pool: 9 * 2 * 12 * 12 MACs, then 2 * 12 * 12 * 10.
  const ModelSpec model{.name = "",
                        .layers = {{.kind = LayerKind::max_pool, .kernel = 2},
                                   {.channels = 2, .kernel = 3},
                                   {.kind = LayerKind::linear, .channels = 10}}};
  EXPECT_EQ(training_flops(model), 4.0 * 2592 + 6.0 * 2880);
  EXPECT_EQ(evaluation_flops(model), 2.0 * 2592 + 2.0 * 2880);
}

TEST(Bench, FmaPeakIsThatOfACpuCore) {
  const FmaPeak peak = measure_fma_peak();
  EXPECT_EQ(peak.simd, simd_targets("fused").front());
  EXPECT_GT(peak.gflops, 0.1);
  EXPECT_LT(peak.gflops, 1000) << "chains that were computed once would look this fast";
}

TEST(Pinning, AThreadAndThoseItStartsStayOnTheirCore) {
  const std::vector<int> cores = usable_cores();
  ASSERT_FALSE(cores.empty());
  std::vector<int> seen;
  std::thread([&] {  // this test's own thread stays free
    pin_thread(std::span(cores).last(1));
    std::thread([&] { seen.push_back(sched_getcpu()); }).join();
  })
      .join();
  EXPECT_THAT(seen, testing::ElementsAre(cores.back()));
}

/// Counts the requested images.
class FakeLoop final : public TrainingLoop {
 public:
  FakeLoop(std::vector<std::string>& log, std::string name) : log_(log), name_(std::move(name)) {}
  int train(int images) override {
    log_.push_back(name_);
    return images;
  }
  int evaluate(int images) override {
    log_.push_back("score " + name_);
    return images;
  }

 private:
  std::vector<std::string>& log_;
  std::string name_;
};

TEST(Rounds, ContendersTakeTurns) {
  std::vector<std::string> log;
  std::vector<Contender> contenders;
  for (const char* name : {"a", "b"})
    contenders.push_back({name, 1, std::make_unique<FakeLoop>(log, name)});
  std::thread([&] {
    run_rounds(contenders, {.rounds = 3, .seconds = 1e-6, .cores = usable_cores()},
               [](const std::string&) {});
  }).join();
  EXPECT_THAT(
      log, testing::ElementsAreArray({"a",       "a",       "score a", "score a", "b", "b",
                                      "score b", "score b",  // warming up
                                      "a",       "score a", "b",       "score b", "a", "score a",
                                      "b",       "score b", "a",       "score a", "b", "score b"}));
  for (const Contender& contender : contenders) {
    EXPECT_EQ(contender.trained_per_second.size(), 3u);
    EXPECT_EQ(contender.evaluated_per_second.size(), 3u);
  }
}

/// An engine that remembers which epochs and steps it was taken through.
class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(std::vector<std::pair<std::uint32_t, int>>& steps) : steps_(steps) {}
  EngineInfo info() const override { return {}; }
  void set_training_data(std::span<const ImagesView> shards, int) override {
    int row = 0;
    for (const ImagesView& shard : shards) {
      EXPECT_EQ(shard.first_row, row);
      EXPECT_EQ(shard.pixels.size(), static_cast<std::size_t>(shard.count()) * image_size);
      row += shard.count();
    }
    EXPECT_EQ(row, 16 * 16);
  }
  void set_evaluation_data(std::span<const ImagesView>) override {}
  void load(const TrainState& state) override {
    EXPECT_EQ(state.average_parameters.size(), state.parameters.size());
  }
  TrainState save() override { return {}; }
  void begin_epoch(const EpochPlan& plan) override {
    epoch_ = plan.epoch;
    EXPECT_EQ(plan.orders.size(), 4u);
    EXPECT_EQ(plan.orders[3].size(), 64u);
    EXPECT_TRUE(std::ranges::all_of(plan.orders[3],
                                    [](std::uint32_t row) { return row >= 192 && row < 256; }));
  }
  void step(int index, bool, const Reduce& reduce) override {
    steps_.emplace_back(epoch_, index);
    std::vector<float> shards{1, 2, 3, 4}, total(1);
    reduce({shards.data(), 1, 1, 0, 4}, total, {});
    EXPECT_EQ(total[0], 10);
  }
  StepReport report(bool) override { return {}; }
  std::vector<Sums> evaluate(Weights, std::vector<ClassIndex>*, std::vector<float>*) override {
    return {};
  }
  std::optional<Diagnosis> diagnose(int) override { return {}; }

 private:
  std::vector<std::pair<std::uint32_t, int>>& steps_;
  std::uint32_t epoch_ = 0;
};

TEST(EngineLoop, GoesThroughEpochsOfWholeSteps) {
  Config config = test_options(linear_model()).config;
  config.average.decay = 0.5;
  std::vector<std::pair<std::uint32_t, int>> steps;
  const auto loop = make_engine_loop(std::make_unique<FakeEngine>(steps), config);
  EXPECT_EQ(loop->train(15 * 16 - 3), 15 * 16);
  EXPECT_EQ(loop->train(32), 32);
  ASSERT_EQ(steps.size(), 17u);
  EXPECT_EQ(steps[15], (std::pair{0u, 15}));
  EXPECT_EQ(steps[16], (std::pair{1u, 0}));
}

TEST(PytorchPeer, OneThatEndedIsADeviceError) {
  const TemporaryFolder folder;
  std::ofstream(folder / "python3") << "#!/bin/sh\nread description && echo 2.0\n";  // and is gone
  std::filesystem::permissions(folder / "python3", std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder.path().string() + ":" + path).c_str(), 1);
  Config config;
  config.model = linear_model();
  const PytorchPeer peer = start_pytorch_peer(config, "cpu");
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(peer.version, "2.0");
  for (int round = 0; round < 2; ++round)  // at the second one it is certainly gone
    failure(ExitCode::device, [&] { peer.loop->train(4); });
}

}  // namespace
}  // namespace mnist_dist
