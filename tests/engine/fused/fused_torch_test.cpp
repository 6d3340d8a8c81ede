// Training with the fused engine against training with the reference engine, both as a run uses
// them.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "data/synthetic.h"
#include "engine/bench/engine_loop.h"
#include "engine/fused/test_models.h"
#include "engine/registry.h"
#include "engine/test_model.h"
#include "engine/torch_library.h"
#include "model/reduce_tree.h"

namespace mnist_dist {
namespace {

constexpr int kBatch = 64, kShards = 4;

struct Outcome {
  std::vector<double> losses;  // one a step, a mean over its images
  TrainState state;
  std::vector<Sums> scores;
  std::vector<ClassIndex> predictions;
};

/// `steps` steps on drawn digits from `state` on, then evaluation of 500 others.
Outcome train(const std::string& name, const ModelSpec& model, const TrainState& state, int steps,
              float rate) {
  EngineOptions options = test_options(model);
  options.config.data.shards = kShards;
  options.config.train.batch = kBatch;
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.1;
  const Images digits = synthetic_digits(1, SyntheticSet::train, steps * kBatch);
  std::vector<Images> shards;
  std::vector<std::vector<std::uint32_t>> orders;
  for (int shard = 0; shard < kShards; ++shard) {
    const Range rows = even_share(shard, kShards, digits.count());
    Images& images = shards.emplace_back();
    images.first_row = rows.first;
    images.pixels.assign(digits.image(rows.first), digits.image(rows.last));
    images.labels.assign(digits.labels.begin() + rows.first, digits.labels.begin() + rows.last);
    auto& order = orders.emplace_back(static_cast<std::size_t>(rows.size()));
    std::iota(order.begin(), order.end(), static_cast<std::uint32_t>(rows.first));
  }
  const std::vector<Images> shares{synthetic_digits(1, SyntheticSet::test, 500)};
  const std::vector<float> rates(static_cast<std::size_t>(steps), rate);
  const std::size_t loss = flat_layout(model).loss();

  Outcome outcome;
  const auto reduce = [&](const ShardVectors& vectors, std::span<float> total, const Queue&) {
    sum_shards(vectors, total);
    outcome.losses.push_back(static_cast<double>(total[loss]) / kBatch);
  };
  const auto engine = make_engine(name, options);
  engine->set_training_data(views(shards), 0);
  engine->set_evaluation_data(views(shares));
  engine->load(state);
  engine->begin_epoch({.epoch = 2, .orders = orders, .learning_rates = rates, .before = {}});
  for (int step = 0; step < steps; ++step) engine->step(step, false, reduce);
  outcome.state = engine->save();
  outcome.scores = engine->evaluate(Weights::raw, &outcome.predictions);
  return outcome;
}

TrainState fresh(const ModelSpec& model) { return fresh_state(flat_layout(model), false); }

double mean_of_third_hundred(const Outcome& outcome) {
  return std::accumulate(outcome.losses.begin() + 200, outcome.losses.begin() + 300, 0.0) / 100;
}

void expect_same_twenty_losses(const Outcome& fused, const Outcome& torch) {
  for (std::size_t step = 0; step < 20; ++step)
    EXPECT_NEAR(fused.losses[step] / torch.losses[step], 1, 1e-4) << "step " << step;
}

// From initial weights and at the recipe's rate, a network with batch norm multiplies any
// difference by 2 or 3 a step: the reference engine itself, one weight moved by its last bit, is
// 1e-4 off after 5 steps and 1e-2 after 12. So losses are compared where training has settled, at a
// tenth of the rate: step 3's own from its eighth epoch on.

TEST(FusedAgainstTorch, TwentySteps) {
  const std::vector<ModelSpec> models = seed_models();
  for (const auto& [index, steps] :
       {std::pair{0u, 1000}, {1u, 100}}) {  // step 1 stays at a loss of 2.30 for the first 500
    SCOPED_TRACE(models[index].name);
    const TrainState state =
        train("fused", models[index], fresh(models[index]), steps, 0.01f).state;
    const Outcome fused = train("fused", models[index], state, 20, 0.001f),
                  torch = train("torch", models[index], state, 20, 0.001f);
    EXPECT_LT(torch.losses[0], 1.5);
    expect_same_twenty_losses(fused, torch);
  }
}

TEST(FusedAgainstTorch, ThreeHundredStepsOfStep3AtATenthOfItsRate) {
  const ModelSpec model = seed_models()[2];
  const TrainState state = train("fused", model, fresh(model), 100, 0.01f).state;
  const Outcome fused = train("fused", model, state, 300, 0.001f),
                torch = train("torch", model, state, 300, 0.001f);
  expect_same_twenty_losses(fused, torch);
  EXPECT_NEAR(mean_of_third_hundred(fused) / mean_of_third_hundred(torch), 1, 0.02);
}

/// One seed's mean loss is off by 1.6 % (standard deviation), as it is after a change of one last
/// bit. Over eight seeds it is off by 0.7 % +- 0.6 %.
TEST(FusedAgainstTorch, ThreeHundredStepsOfStep3FromItsBeginning) {
  const ModelSpec model = seed_models()[2];
  const Outcome fused = train("fused", model, fresh(model), 300, 0.01f),
                torch = train("torch", model, fresh(model), 300, 0.01f);
  EXPECT_NEAR(fused.losses[0] / torch.losses[0], 1, 1e-6);
  EXPECT_NEAR(fused.losses[1] / torch.losses[1], 1, 1e-5);
  EXPECT_NEAR(mean_of_third_hundred(fused) / mean_of_third_hundred(torch), 1, 0.08);
}

TEST(FusedAgainstTorch, EvaluationOfTheSameWeights) {
  for (const ModelSpec& model :
       {seed_models()[0], seed_models()[1], seed_models()[2], random_model(0)}) {
    SCOPED_TRACE(model.name);
    const TrainState state = train("fused", model, fresh(model), 50, 0.01f).state;
    const Outcome fused = train("fused", model, state, 0, 0),
                  torch = train("torch", model, state, 0, 0);
    EXPECT_NEAR(fused.scores[0].loss / torch.scores[0].loss, 1, 1e-5);
    EXPECT_EQ(fused.predictions, torch.predictions);
  }
}

/// Far below what it should be, so that nothing but a broken choice of SIMD target can miss it, and
/// tried again, because others use the machine too.
TEST(FusedAgainstTorch, IsTwiceAsFastAsPlainLibTorchAtLeast) {
#ifdef MNIST_DIST_SANITIZE
  GTEST_SKIP() << "sanitizers slow down this program, not LibTorch";
#endif
  Config config = test_options(seed_models()[2]).config;
  config.train.batch = kBatch;
  const auto speed_of = [](TrainingLoop& loop) {
    loop.train(kBatch);
    const auto begin = std::chrono::steady_clock::now();
    const int images = loop.train(4 * kBatch);
    return images / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  EngineOptions options;
  options.config = config;
  const auto fused = make_engine_loop(make_engine("fused", options), config);
  const auto plain = torch_library().make_plain_loop(config.model, config.optimizer, kBatch);
  double ratio = 0;
  for (int attempt = 0; attempt < 5 && ratio < 2; ++attempt)
    ratio = speed_of(*fused) / speed_of(*plain);
  EXPECT_GT(ratio, 2);
}

}  // namespace
}  // namespace mnist_dist
