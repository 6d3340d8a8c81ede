// Evaluation of MNIST's 10,000 test images with both engines.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>

#include "base/share.h"
#include "data/mnist_files.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/test_models.h"
#include "engine/test_model.h"
#include "engine/torch/torch_worker.h"
#include "model/reduce_tree.h"

namespace mnist_dist {
namespace {

/// Step 3 after `steps` steps of its recipe.
TrainState train(const EngineOptions& options, Images images, int steps) {
  const FlatLayout layout = flat_layout(options.config.model);
  const int rows = steps * options.config.train.batch;
  images.pixels.resize(static_cast<std::size_t>(rows) * image_size);
  images.labels.resize(static_cast<std::size_t>(rows));
  const std::vector<Images> shards{std::move(images)};
  std::vector<std::vector<std::uint32_t>> orders(
      1, std::vector<std::uint32_t>(static_cast<std::size_t>(rows)));
  std::iota(orders[0].begin(), orders[0].end(), 0u);
  const std::vector<float> rates(static_cast<std::size_t>(steps), 0.01f);
  const auto engine = make_fused_engine(options);
  engine->set_training_data(views(shards), 0);
  engine->load(fresh_state(layout, false));
  engine->begin_epoch({.epoch = 0, .orders = orders, .learning_rates = rates, .before = {}});
  for (int step = 0; step < steps; ++step)
    engine->step(step, false,
                 [](const ShardVectors& vectors, std::span<float> total, const Queue&) {
                   std::copy_n(vectors[0].data(), vectors.size, total.begin());
                 });
  return engine->save();
}

struct Evaluation {
  std::vector<float> losses;
  std::vector<ClassIndex> predictions;
};

Evaluation evaluate(SliceWorker& worker, const TrainState& state, const Images& images,
                    std::span<const ClassIndex> labels) {
  const auto count = labels.size();
  Evaluation result{std::vector<float>(count), std::vector<ClassIndex>(count)};
  for (std::size_t first = 0; first < count; first += evaluation_chunk) {
    const std::size_t size = std::min<std::size_t>(evaluation_chunk, count - first);
    worker.evaluate(std::span(images.pixels).subspan(first * image_size, size * image_size),
                    labels.subspan(first, size), {state.parameters, state.norm_statistics},
                    std::span(result.losses).subspan(first, size),
                    std::span(result.predictions).subspan(first, size));
  }
  return result;
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST(FusedOnMnist, LogitsAndPredictionsAreTheReferenceEngines) {
  const auto folder = share_folders().front() / "data/mnist";
  const Progress silent = [](const std::string&) {};
  Mnist mnist = read_mnist(find_mnist(folder, silent), silent);
  EngineOptions options = test_options(seed_models()[2]);
  options.config.data.shards = 1;
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.1;
  const TrainState state = train(options, std::move(mnist.train), 1500);

  const auto torch = make_torch_worker(options);
  const Evaluation wanted = evaluate(*torch, state, mnist.test, mnist.test.labels);
  const auto correct = std::ranges::count_if(
      std::views::iota(std::size_t{0}, wanted.predictions.size()),
      [&](std::size_t i) { return wanted.predictions[i] == mnist.test.labels[i]; });
  EXPECT_GT(correct, 9500) << "these are not the weights of a network that has learnt anything";

  const std::vector<std::string> targets = fused_targets();
  const auto fused = make_fused_worker(options, targets.front());
  const Evaluation got = evaluate(*fused, state, mnist.test, mnist.test.labels);
  for (std::size_t i = 0; i < got.predictions.size(); ++i)
    EXPECT_EQ(got.predictions[i], wanted.predictions[i])
        << "test image " << i << ": losses " << got.losses[i] << " and " << wanted.losses[i];
  float largest = largest_difference(got.losses, wanted.losses);

  // The loss of an image under each label in turn is the log-softmax of its logits.
  constexpr std::size_t kAllLabels = 1000;
  for (ClassIndex label = 0; label < class_count; ++label) {
    const std::vector<ClassIndex> labels(kAllLabels, label);
    largest =
        std::max(largest, largest_difference(evaluate(*fused, state, mnist.test, labels).losses,
                                             evaluate(*torch, state, mnist.test, labels).losses));
  }
  EXPECT_LT(largest, 1e-4f);

  // The other targets compute the same bits, some of them 50 times slower.
  const std::span some_labels = std::span(mnist.test.labels).first(500);
  const std::vector<float> some_losses(got.losses.begin(), got.losses.begin() + 500);
  for (const std::string& target : targets)
    EXPECT_EQ(evaluate(*make_fused_worker(options, target), state, mnist.test, some_labels).losses,
              some_losses)
        << target;
}

}  // namespace
}  // namespace mnist_dist
