#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/torch/library.h"
#include "test_model.h"
#include "torch_test_models.h"

extern "C" const mnist_dist::TorchLibrary* mnist_dist_torch_library();

namespace mnist_dist {
namespace {

struct Outcome {
  TrainState state;
  Sums sums;
  std::vector<Sums> scores;
  std::vector<ClassIndex> predictions;
};

/// Four shards of 10, 8, 8 and 6 images, three steps, evaluation.
Outcome train(int threads) {
  EngineOptions options = test_options(torch_test_models().front(), threads);
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.3;
  const FlatLayout layout = flat_layout(options.config.model);
  std::vector<Images> shards;
  std::vector<std::vector<std::uint32_t>> orders;
  int row = 0;
  for (const int rows : {10, 8, 8, 6}) {
    shards.push_back(noise_images(rows, row));
    auto& order = orders.emplace_back();
    for (int i = 0; i < rows; ++i) order.push_back(static_cast<std::uint32_t>(row++));
  }
  const std::vector<float> rates(3, 0.05f);
  const std::vector<Images> shares{noise_images(600, 1000), noise_images(9, 2000)};

  const auto engine = mnist_dist_torch_library()->make_engine(options);
  engine->set_training_data(views(shards), 0);
  engine->set_evaluation_data(views(shares));
  engine->load(fresh_state(layout, false));
  engine->begin_epoch({.epoch = 1, .orders = orders, .learning_rates = rates, .before = {}});
  for (int step = 0; step < 3; ++step) engine->step(step, false, add_tree);
  Outcome run{
      .state = engine->save(), .sums = engine->report(true).sums, .scores = {}, .predictions = {}};
  run.scores = engine->evaluate(Weights::raw, &run.predictions);
  return run;
}

TEST(TorchEngine, ThreadsChangeNoBit) {
  const Outcome one = train(1);
  EXPECT_EQ(one.sums.images, 32);
  for (const int threads : {2, 3, 4}) {
    const Outcome many = train(threads);
    EXPECT_EQ(many.state.parameters, one.state.parameters) << threads;
    EXPECT_EQ(many.state.norm_statistics, one.state.norm_statistics) << threads;
    EXPECT_EQ(many.sums.loss, one.sums.loss) << threads;
    EXPECT_EQ(many.predictions, one.predictions) << threads;
    EXPECT_EQ(many.scores[0].loss, one.scores[0].loss) << threads;
  }
}

TEST(TorchEngine, LearnsItsImagesByHeart) {
  EngineOptions options = test_options(torch_test_models().front());
  for (Layer& layer : options.config.model.layers) layer.dropout = 0;
  const std::vector<Images> shards{noise_images(4, 0), noise_images(4, 4), noise_images(4, 8),
                                   noise_images(4, 12)};
  std::vector<std::vector<std::uint32_t>> orders;
  for (std::uint32_t shard = 0; shard < 4; ++shard)
    orders.push_back({4 * shard, 4 * shard + 1, 4 * shard + 2, 4 * shard + 3});
  const std::vector<float> rates{0.05f};
  const auto engine = mnist_dist_torch_library()->make_engine(options);
  engine->set_training_data(views(shards), 0);
  engine->load(fresh_state(flat_layout(options.config.model), false));
  double first = 0, last = 0;
  for (std::uint32_t epoch = 0; epoch < 60; ++epoch) {
    engine->begin_epoch({.epoch = epoch, .orders = orders, .learning_rates = rates, .before = {}});
    engine->step(0, false, add_tree);
    last = engine->report(true).sums.loss / 16;
    if (epoch == 0) first = last;
  }
  EXPECT_GT(first, 2);
  EXPECT_LT(last, 0.1);
  EXPECT_EQ(engine->report(true).sums.correct, 16);
}

TEST(TorchEngine, RejectsDifferentSimdTargets) {
  const auto code = [](const EngineOptions& options) {
    try {
      mnist_dist_torch_library()->make_engine(options);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  };
  EngineOptions options = test_options(linear_model());
  EXPECT_EQ(code(options), ExitCode::ok);
  options.simd = "ALTIVEC";
  EXPECT_EQ(code(options), ExitCode::usage);
}

TEST(PlainLoop, TrainsWholeSlices) {
  for (const ModelSpec& model : torch_test_models())
    EXPECT_EQ(mnist_dist_torch_library()->make_plain_loop(model, {}, 4)->train(10), 12)
        << model.name;
}

}  // namespace
}  // namespace mnist_dist
