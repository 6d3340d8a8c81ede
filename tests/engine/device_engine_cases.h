#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "engine/engine.h"
#include "engine/fused/reference.h"
#include "engine/torch/library.h"
#include "test_model.h"
#include "torch_test_models.h"

extern "C" const mnist_dist::TorchLibrary* mnist_dist_torch_library();

// Runs of a device engine and of the reference engine, on the host and on a GPU.

namespace mnist_dist {

/// Four shards of 10, 8, 8 and 6 images, so that in slices of four the third step has short slices
/// and empty ones.
struct FourShards {
  std::vector<Images> shards;
  std::vector<std::vector<std::uint32_t>> orders;
  std::vector<float> rates = std::vector<float>(3, 0.02f);
  std::vector<Images> shares;

  explicit FourShards(const ModelSpec& model) {
    for (const auto& [rows, first] : {std::pair{2100, 1000}, {9, 4000}})
      shares.push_back(noise_images(rows, first, model.side, model.classes));
    int row = 0;
    for (const int rows : {10, 8, 8, 6}) {
      shards.push_back(noise_images(rows, row, model.side, model.classes));
      auto& order = orders.emplace_back();
      for (int i = 0; i < rows; ++i)
        order.push_back(static_cast<std::uint32_t>(row + rows - 1 - i));  // not the file's order
      row += rows;
    }
  }
  EpochPlan plan(std::uint32_t epoch) const {
    return {
        .epoch = epoch, .orders = orders, .learning_rates = rates, .before = {}, .whole_steps = 1};
  }
};

/// Shards on whose first step no ReLU and no pool is closer to a tie than float's rounding, so that
/// there is one right gradient: see make_decided_slice. `parameters`: what training starts from.
inline FourShards decided_shards(const EngineOptions& options, std::span<const float> parameters) {
  const std::vector<double> wide(parameters.begin(), parameters.end());
  FourShards data(options.config.model);
  for (std::size_t shard = 0; shard < data.shards.size(); ++shard) {
    Images& images = data.shards[shard];
    const std::span<const std::uint32_t> rows = std::span(data.orders[shard]).first(4);
    SliceReader reader;
    const auto margin = [&] {
      return reference_forward(options.config, options.normalisation,
                               reader.read(view(images), rows, 0), wide)
          .least_margin;
    };
    for (int which = 1; margin() < 2e-5; ++which)
      images.pixels =
          noise_images(images.count(), images.first_row + 1000 * which, images.side).pixels;
  }
  return data;
}

/// Everything a recipe can switch on.
inline EngineOptions full_options(const ModelSpec& model) {
  EngineOptions options = test_options(model);
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.3;
  options.config.optimizer.nesterov = true;
  options.config.optimizer.weight_decay = 1e-3;
  options.config.average.decay = 0.9;
  options.config.train.label_smoothing = 0.1;
  return options;
}

struct EngineRun {
  TrainState state;
  std::vector<float> first_total;  ///< of step 0
  StepReport report;
  std::vector<Sums> scores;
  std::vector<ClassIndex> predictions;
};

/// `epochs` epochs through `reduce`, and evaluation of the averages.
inline EngineRun run_engine(
    Engine& engine, const EngineOptions& options, const FourShards& data, const Reduce& reduce,
    int epochs, const std::function<std::vector<float>(std::span<const float>)>& fetch) {
  EngineRun run;
  engine.set_training_data(views(data.shards), 0);
  engine.set_evaluation_data(views(data.shares));
  engine.load(fresh_state(flat_layout(options.config.model), true));
  const Reduce watching = [&](const ShardVectors& vectors, std::span<float> total,
                              const Queue& queue) {
    reduce(vectors, total, queue);
    if (fetch && run.first_total.empty()) run.first_total = fetch(total);
  };
  for (int epoch = 0; epoch < epochs; ++epoch) {
    engine.begin_epoch(data.plan(static_cast<std::uint32_t>(epoch)));
    for (int step = 0; step < 3; ++step) engine.step(step, false, watching);
    run.report = engine.report(true);
  }
  run.state = engine.save();
  run.scores = engine.evaluate(Weights::averaged, &run.predictions);
  return run;
}

/// Relative L2 distance of a from b.
inline double distance(std::span<const float> a, std::span<const float> b) {
  double difference = 0, size = 1e-30;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[i]} - double{b[i]}, 2);
    size += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / size);
}

/// Each tensor of a total: gradients within `gradient_tolerance`, norm statistics, then counts and
/// loss.
inline void expect_close_totals(const FlatLayout& layout, std::span<const float> a,
                                std::span<const float> b, double gradient_tolerance,
                                float correct_slack = 0) {
  const double tolerance = std::min(gradient_tolerance, 1e-4);
  ASSERT_EQ(a.size(), layout.size());
  for (const ParameterTensor& tensor : layout.parameters)
    EXPECT_LT(
        distance(a.subspan(tensor.offset, tensor.size), b.subspan(tensor.offset, tensor.size)),
        gradient_tolerance)
        << tensor.name;
  for (const NormTensor& norm : layout.norms) {
    const auto size = 2 * static_cast<std::size_t>(norm.channels);
    EXPECT_LT(distance(a.subspan(layout.parameter_count + norm.offset, size),
                       b.subspan(layout.parameter_count + norm.offset, size)),
              tolerance);
  }
  EXPECT_EQ(a[layout.images()], b[layout.images()]);
  EXPECT_NEAR(a[layout.correct()], b[layout.correct()], correct_slack);
  EXPECT_NEAR(a[layout.loss()], b[layout.loss()], tolerance * b[layout.loss()]);
}

inline std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

inline EngineRun run_reference(const EngineOptions& options, int epochs, const FourShards& data) {
  return run_engine(*mnist_dist_torch_library()->make_engine(options), options, data, add_tree,
                    epochs, copied);
}

/// Four shards of whole slices of four, and one slice of two each.
struct LongEpoch {
  std::vector<Images> shards;
  std::vector<std::vector<std::uint32_t>> orders;
  std::vector<float> rates;
  int whole_steps;

  LongEpoch(const ModelSpec& model, int whole)
      : rates(static_cast<std::size_t>(whole) + 1, 0.01f), whole_steps(whole) {
    const int rows = 4 * whole + 2;
    for (int shard = 0; shard < 4; ++shard) {
      shards.push_back(noise_images(rows, shard * rows, model.side, model.classes));
      auto& order = orders.emplace_back();
      for (int row = 0; row < rows; ++row)
        order.push_back(static_cast<std::uint32_t>(shard * rows + row));
    }
  }
  EpochPlan plan(std::uint32_t epoch, const Sums& before = {}) const {
    return {.epoch = epoch,
            .orders = orders,
            .learning_rates = rates,
            .before = before,
            .whole_steps = whole_steps};
  }
};

/// Where steps are recorded: looks see how far training is, a stop is seen by one, and a run that
/// continues after it ends in the bits of one that was not stopped. `make` returns an engine, and
/// the `reduce` that goes with it, of these options.
inline void expect_stops_and_goes_on(const EngineOptions& options, const auto& make) {
  const LongEpoch data(options.config.model, 300);
  const TrainState fresh =
      fresh_state(flat_layout(options.config.model), options.config.average.decay > 0);
  const auto start = [&](auto& run, const TrainState& state, const Sums& before) {
    run.engine->set_training_data(views(data.shards), 0);
    run.engine->load(state);
    run.engine->begin_epoch(data.plan(0, before));
  };
  auto whole = make(), stopped = make(), resumed = make();
  start(whole, fresh, {});
  for (int step = 0; step <= 300; ++step) whole.engine->step(step, false, whole.reduce);

  start(stopped, fresh, {});
  for (int step = 0; step <= 300; ++step) {
    stopped.engine->step(step, step == 150, stopped.reduce);
    const StepReport seen = stopped.engine->report(false);
    ASSERT_LE(seen.steps_done, std::min(step + 1, 151));
    ASSERT_GE(seen.steps_done, std::min(step + 1, 151) - 128);
  }
  EXPECT_EQ(stopped.engine->report(false).stopped_at, 150);
  const StepReport report = stopped.engine->report(true);
  EXPECT_EQ(report.stopped_at, 150);
  EXPECT_EQ(report.steps_done, 151);
  EXPECT_EQ(report.sums.images, 151 * 16);

  start(resumed, stopped.engine->save(), report.sums);
  for (int step = 151; step <= 300; ++step) resumed.engine->step(step, false, resumed.reduce);
  EXPECT_EQ(resumed.engine->report(true).sums.images, 4 * 1202);
  EXPECT_EQ(resumed.engine->report(true).sums.loss, whole.engine->report(true).sums.loss);
  EXPECT_EQ(resumed.engine->save().parameters, whole.engine->save().parameters);
  EXPECT_EQ(resumed.engine->save().updates, 301);
}

}  // namespace mnist_dist
