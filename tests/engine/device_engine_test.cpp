#include "engine/torch/device_engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "device_engine_cases.h"

// The engine of GPUs on the host's queue: all of it but streams, recording and the GPU's own
// arithmetic.

namespace mnist_dist {
namespace {

std::unique_ptr<Engine> on_host(const EngineOptions& options) {
  return make_device_engine(options, EngineInfo{}, make_host_queue());
}
EngineRun run_on_host(const EngineOptions& options, int epochs, const FourShards& data) {
  return run_engine(*on_host(options), options, data, add_tree, epochs, copied);
}

class DeviceEngine : public testing::TestWithParam<ModelSpec> {};

TEST_P(DeviceEngine, SliceBySliceHasTheReferencesBits) {
  EngineOptions options = full_options(GetParam());
  options.per_slice = true;
  const FourShards data(options.config.model);
  const EngineRun device = run_on_host(options, 2, data),
                  reference = run_reference(options, 2, data);
  EXPECT_EQ(device.first_total, reference.first_total);
  EXPECT_EQ(device.state.parameters, reference.state.parameters);
  EXPECT_EQ(device.state.momentum, reference.state.momentum);
  EXPECT_EQ(device.state.norm_statistics, reference.state.norm_statistics);
  EXPECT_EQ(device.state.average_parameters, reference.state.average_parameters);
  EXPECT_EQ(device.state.average_norm_statistics, reference.state.average_norm_statistics);
  EXPECT_EQ(device.state.updates, 6);
  EXPECT_EQ(device.report.steps_done, 3);
  EXPECT_EQ(device.report.sums.images, 32);
  EXPECT_EQ(device.report.sums.correct, reference.report.sums.correct);
  EXPECT_EQ(device.report.sums.loss, reference.report.sums.loss);
}

TEST_P(DeviceEngine, AsOneBatchAgreesToRounding) {
  const EngineOptions options = full_options(GetParam());
  const FourShards data =
      decided_shards(options, fresh_state(flat_layout(options.config.model), true).parameters);
  const EngineRun device = run_on_host(options, 1, data),
                  reference = run_reference(options, 1, data);
  expect_close_totals(flat_layout(options.config.model), device.first_total, reference.first_total,
                      3e-5);
  EXPECT_LT(distance(device.state.parameters, reference.state.parameters), 1e-4);
  EXPECT_LT(distance(device.state.average_norm_statistics, reference.state.average_norm_statistics),
            1e-4);
  EXPECT_EQ(device.report.sums.images, 32);
}

TEST_P(DeviceEngine, EvaluatesAsTheReference) {
  EngineOptions options = full_options(GetParam());
  options.per_slice = true;
  const FourShards data(options.config.model);
  const EngineRun device = run_on_host(options, 1, data),
                  reference = run_reference(options, 1, data);
  ASSERT_EQ(device.scores.size(), 2u);
  EXPECT_EQ(device.predictions.size(), 2109u);
  int different = 0;
  for (std::size_t i = 0; i < device.predictions.size(); ++i)
    different += device.predictions[i] != reference.predictions[i] ? 1 : 0;
  EXPECT_LE(different, 1);  // noise has near-ties
  for (std::size_t share = 0; share < 2; ++share) {
    EXPECT_EQ(device.scores[share].images, reference.scores[share].images);
    EXPECT_NEAR(device.scores[share].loss, reference.scores[share].loss,
                1e-5 * reference.scores[share].loss);
    EXPECT_LE(std::abs(device.scores[share].correct - reference.scores[share].correct), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, DeviceEngine, testing::ValuesIn(torch_test_models()),
                         [](const auto& tested) { return tested.param.name; });

/// An engine that has started an epoch.
struct Started {
  EngineOptions options;
  FourShards data;
  std::unique_ptr<Engine> engine;

  explicit Started(TrainState (*change)(TrainState) = nullptr)
      : options(full_options(torch_test_models().front())), data(options.config.model) {
    options.per_slice = true;
    engine = on_host(options);
    engine->set_training_data(views(data.shards), 0);
    TrainState state = fresh_state(flat_layout(options.config.model), true);
    engine->load(change ? change(state) : state);
    engine->begin_epoch(data.plan(0));
  }
};

TEST(DeviceEngine, StopsAfterTheRequestedStep) {
  Started run;
  run.engine->step(0, false, add_tree);
  run.engine->step(1, true, add_tree);
  const TrainState stopped = run.engine->save();
  run.engine->step(2, false, add_tree);
  const StepReport report = run.engine->report(true);
  EXPECT_EQ(report.stopped_at, 1);
  EXPECT_EQ(report.steps_done, 2);
  EXPECT_EQ(report.sums.images, 30);
  EXPECT_EQ(run.engine->save().parameters, stopped.parameters);
  EXPECT_EQ(stopped.updates, 2);
}

TEST(DeviceEngine, StopsThoughTheRanksSlicesAreEmpty) {
  const EngineOptions options = full_options(torch_test_models().front());
  const FourShards data(options.config.model);
  const std::span<const Images> shards =
      std::span(data.shards).subspan(1, 2);  // at the third step they have no image left
  const auto engine = on_host(options);
  engine->set_training_data(views(shards), 1);
  engine->load(fresh_state(flat_layout(options.config.model), true));
  EpochPlan plan = data.plan(0);
  plan.orders = plan.orders.subspan(1, 2);
  engine->begin_epoch(plan);
  std::vector<float> total;
  // The other rank's shards have one image.
  const Reduce with_an_image = [&](const ShardVectors& vectors, std::span<float> sum,
                                   const Queue& queue) {
    add_tree(vectors, sum, queue);
    total = copied(sum);
    sum[flat_layout(options.config.model).images()] = 1;
  };
  engine->step(0, false, add_tree);
  engine->step(1, false, add_tree);
  engine->step(2, true, with_an_image);
  EXPECT_EQ(engine->report(true).stopped_at, 2);
  std::vector<float> expected(total.size(), 0.0f);
  expected[flat_layout(options.config.model).stop()] = 2;  // two shards
  EXPECT_EQ(total, expected);
}

TEST(DeviceEngine, ResumesInsideAnEpoch) {
  Started whole;
  for (int step = 0; step < 3; ++step) whole.engine->step(step, false, add_tree);

  Started first, second;
  first.engine->step(0, false, add_tree);
  second.engine->load(first.engine->save());
  EpochPlan plan = second.data.plan(0);
  plan.before = first.engine->report(true).sums;
  second.engine->begin_epoch(plan);
  for (int step = 1; step < 3; ++step) second.engine->step(step, false, add_tree);
  EXPECT_EQ(second.engine->save().parameters, whole.engine->save().parameters);
  EXPECT_EQ(second.engine->report(true).steps_done, 3);
  EXPECT_EQ(second.engine->report(true).sums.images, 32);
  EXPECT_EQ(second.engine->report(true).sums.loss, whole.engine->report(true).sums.loss);
}

TEST(DeviceEngine, NamesTheFirstNonFiniteValue) {
  Started run([](TrainState state) {
    state.parameters[3] = std::numeric_limits<float>::quiet_NaN();
    return state;
  });
  const std::vector<float> before = run.engine->save().momentum;
  run.engine->step(0, false, add_tree);
  run.engine->step(1, false, add_tree);
  const StepReport report = run.engine->report(true);
  EXPECT_EQ(report.non_finite_at, 0);
  EXPECT_EQ(report.steps_done, 0);
  EXPECT_EQ(run.engine->save().momentum, before);
  const auto found = run.engine->diagnose(0);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shard, 0);
  EXPECT_EQ(found->layer, 0);
  EXPECT_EQ(found->where, "parameter");
}

TEST(DeviceEngine, ResumesFromAGoodStateAfterOneThatDiverged) {
  for (const bool per_slice : {false, true}) {
    EngineOptions options = full_options(torch_test_models().front());
    options.per_slice = per_slice;
    const FourShards data(options.config.model);
    const TrainState good = fresh_state(flat_layout(options.config.model), true);
    TrainState bad = good;
    bad.parameters[3] = std::numeric_limits<float>::quiet_NaN();
    const auto engine = on_host(options);
    engine->set_training_data(views(data.shards), 0);
    TrainState after;
    for (const TrainState& state : {bad, good}) {
      engine->load(state);
      engine->begin_epoch(data.plan(0));
      for (int step = 0; step < 3; ++step) engine->step(step, false, add_tree);
      EXPECT_EQ(engine->report(true).non_finite_at.has_value(), std::isnan(state.parameters[3]));
      after = engine->save();
    }
    EXPECT_EQ(after.parameters,
              run_engine(*on_host(options), options, data, add_tree, 1, {}).state.parameters);
  }
}

TEST(DeviceEngine, ALongEpochIsLookedAtNowAndThen) {
  EngineOptions options = test_options(linear_model());
  options.config.data.shards = 1;
  options.config.train.batch = 4;
  const std::vector<Images> shards{noise_images(2400, 0)};
  std::vector<std::vector<std::uint32_t>> orders(1);
  for (std::uint32_t row = 0; row < 2400; ++row) orders[0].push_back(row);
  const std::vector<float> rates(600, 0.01f);
  const auto engine = on_host(options);
  engine->set_training_data(views(shards), 0);
  engine->load(fresh_state(flat_layout(options.config.model), false));
  engine->begin_epoch(
      {.epoch = 0, .orders = orders, .learning_rates = rates, .before = {}, .whole_steps = 600});
  for (int step = 0; step < 600; ++step) {
    engine->step(step, false, add_tree);
    // A look is taken after every second step, and seen when the next one is.
    ASSERT_EQ(engine->report(false).steps_done, std::max(0, (step + 1) / 2 * 2 - 2)) << step;
  }
  EXPECT_EQ(engine->report(true).steps_done, 600);
  EXPECT_EQ(engine->report(true).sums.images, 2400);
}

}  // namespace
}  // namespace mnist_dist
