#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "device_engine_cases.h"
#include "engine/torch/device_engine.h"
#include "fake_queue.h"

// How the engine of GPUs uses its queue: what it records, where it looks, how it waits.

namespace mnist_dist {
namespace {

struct Training {
  FakeDevice fake;
  EngineOptions options = test_options(linear_model());
  LongEpoch data;
  std::unique_ptr<Engine> engine;

  explicit Training(int whole_steps, bool per_slice = false, FakeDevice device = {})
      : fake(device), data(options.config.model, whole_steps) {
    options.per_slice = per_slice;
  }
  void start() {
    engine = make_device_engine(options, EngineInfo{}, std::make_unique<FakeQueue>(fake));
    engine->set_training_data(views(data.shards), 0);
    engine->load(fresh_state(flat_layout(options.config.model), false));
  }
  void begin(std::uint32_t epoch) { engine->begin_epoch(data.plan(epoch)); }
  void step(int index) {
    engine->step(
        index, false,
        [this, index](const ShardVectors& vectors, std::span<float> total, const Queue& queue) {
          const bool slices = options.per_slice || index >= data.whole_steps;
          fake.launch(slices ? 4 * 200 : 200);  // an estimate
          add_tree(vectors, total, queue);
        });
  }
};

TEST(DeviceQueue, WholeStepsAreRecordedFromTheFourthOn) {
  Training run(5), plain(5, false, {.can_record = false});
  for (Training* each : {&run, &plain}) each->start();
  const auto both = [&](int index) {
    for (Training* each : {&run, &plain}) each->step(index);
  };
  const auto begin_both = [&](std::uint32_t epoch) {
    for (Training* each : {&run, &plain}) each->begin(epoch);
  };

  begin_both(0);
  for (int step = 0; step < 3; ++step) both(step);
  EXPECT_EQ(run.fake.records, 0);
  both(3);
  EXPECT_EQ(run.fake.records, 1);
  EXPECT_EQ(run.fake.replays, 1);
  both(4);
  EXPECT_EQ(run.fake.replays, 2);
  both(5);
  EXPECT_EQ(run.fake.replays, 2) << "a short step was replayed";

  begin_both(1);
  for (int step = 0; step < 6; ++step) both(step);
  EXPECT_EQ(run.fake.records, 1) << "the recording of the first epoch was good";
  EXPECT_EQ(run.fake.replays, 7);

  for (Training* each : {&run, &plain})
    each->data.rates.resize(20, 0.02f);  // they lie elsewhere now
  begin_both(2);
  for (int step = 0; step < 6; ++step) both(step);
  EXPECT_EQ(run.fake.records, 2);
  EXPECT_EQ(run.fake.replays, 12);
  EXPECT_FALSE(run.fake.recorded_while_busy);

  EXPECT_EQ(plain.fake.replays, 0);
  EXPECT_EQ(run.engine->save().parameters, plain.engine->save().parameters);
  EXPECT_EQ(run.engine->save().updates, 18);
  EXPECT_EQ(run.engine->report(true).steps_done, 6);
  EXPECT_EQ(run.engine->report(true).sums.images, 4 * 22);
  EXPECT_EQ(run.engine->report(true).sums.loss, plain.engine->report(true).sums.loss);
}

TEST(DeviceQueue, ReplaysAreLookedAtAfterEvery64th) {
  Training run(200);
  run.start();
  run.begin(0);
  for (int step = 0; step < 4; ++step) run.step(step);  // recorded
  run.begin(1);
  const int marks = run.fake.marks;
  for (int step = 0; step < 200; ++step) {
    run.step(step);
    // A look is seen when the next one is taken.
    ASSERT_EQ(run.engine->report(false).steps_done, std::max(0, (step + 1) / 64 * 64 - 64)) << step;
  }
  EXPECT_EQ(run.fake.marks - marks, 3);
  EXPECT_EQ(run.fake.records, 1);
}

TEST(DeviceQueue, StopsAndContinuesAmongRecordedSteps) {
  struct Run {
    std::unique_ptr<Engine> engine;
    Reduce reduce = add_tree;
  };
  FakeDevice fake;
  EngineOptions options = full_options(linear_model());
  for (const bool per_slice : {false, true}) {
    options.per_slice = per_slice;
    expect_stops_and_goes_on(options, [&] {
      return Run{make_device_engine(options, EngineInfo{}, std::make_unique<FakeQueue>(fake))};
    });
  }
  EXPECT_EQ(fake.records, 6);
}

// CUDA takes about a thousand launches. One that has to wait there is not watched.
TEST(DeviceQueue, TheHostIsNeverFurtherAheadThanTheQueueHolds) {
  for (const bool record : {false, true})
    for (const bool per_slice : {false, true}) {
      Training run(300, per_slice, {.can_record = record});
      run.start();
      for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
        run.begin(epoch);
        for (int step = 0; step <= 300; ++step) run.step(step);
        run.engine->report(true);
      }
      EXPECT_LE(run.fake.most_ahead, 900)
          << (record ? "recorded" : "in parts") << (per_slice ? ", slice by slice" : "");
    }
}

TEST(DeviceQueue, TimeOfAStoppedProcessDoesNotCount) {
  Training run(3, false, {.polls_until_reached = 3});
  double waited = -1;
  run.options.while_waiting = [&](double seconds) {
    waited = std::max(waited, seconds);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // as after Ctrl-Z and fg
  };
  run.start();
  run.begin(0);
  run.engine->report(true);
  EXPECT_GE(waited, 0);
  EXPECT_LE(waited, 0.6);
}

TEST(DeviceQueue, AGpuThatFailsIsADeviceErrorWhereverItIsMet) {
  Training run(3);
  run.start();
  run.begin(0);
  run.fake.broken = true;
  const std::vector<std::function<void()>> calls{
      [&] { run.engine->set_training_data(views(run.data.shards), 0); },
      [&] { run.engine->set_evaluation_data(views(run.data.shards)); },
      [&] { run.step(0); },
      [&] { run.engine->report(true); },
      [&] { run.engine->evaluate(Weights::raw); },
      [&] { run.engine->save(); },
      [&] { run.engine->diagnose(0); }};
  for (const std::function<void()>& call : calls) {
    try {
      call();
      ADD_FAILURE() << "no error from call " << &call - calls.data();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::device);
      EXPECT_STREQ(error.what(), "LibTorch failed: CUDA error: unspecified launch failure");
    } catch (const c10::Error&) {
      ADD_FAILURE() << "LibTorch's own error from call " << &call - calls.data();
    }
  }
}

}  // namespace
}  // namespace mnist_dist
