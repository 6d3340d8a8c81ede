// Run by 1 to 4 ranks (tests/comm/mpi_test_main.cpp).
#include <gmock/gmock.h>

#include <cstring>

#include "comm/mpi_test.h"
#include "config/config.h"
#include "data/order.h"
#include "data/synthetic.h"
#include "engine/engine.h"

namespace mnist_dist {
namespace {

constexpr int rows = 200, steps = 4;

Config config_with(int shards) {
  Config config;
  config.model.layers = {{.channels = 4, .relu = true, .norm = true, .dropout = 0.2},
                         {.kind = LayerKind::max_pool, .kernel = 2},
                         {.channels = 6, .relu = true, .norm = true},
                         {.kind = LayerKind::global_average},
                         {.kind = LayerKind::linear, .channels = 10, .bias = true}};
  config.data.shards = shards;
  config.train.batch = 8 * shards;
  config.augment.rotation = 10;
  config.optimizer.learning_rate = 0.1;
  return config;
}

/// The reduced vector of each step, as computed by the shards `owned` on this rank and whatever
/// `reduce` adds to them.
std::vector<std::vector<float>> reduced_vectors(const std::string& engine_name,
                                                const Config& config, Range owned,
                                                const Reduce& reduce) {
  const Images all = synthetic_digits(1, SyntheticSet::train, rows);
  std::vector<Images> shards;
  std::vector<std::vector<std::uint32_t>> orders;
  for (int shard = owned.first; shard < owned.last; ++shard) {
    const Range share = even_share(shard, config.data.shards, rows);
    Images images;
    images.first_row = share.first;
    images.labels.assign(all.labels.begin() + share.first, all.labels.begin() + share.last);
    images.pixels.assign(
        all.image(share.first),
        all.image(share.first) + static_cast<std::ptrdiff_t>(share.size()) * image_size);
    shards.push_back(std::move(images));
    orders.push_back(epoch_order(share, shard, 5, 0));
  }
  EngineOptions options;
  options.config = config;
  const auto engine = make_engine(engine_name, options);
  const FlatLayout layout = flat_layout(config.model);
  TrainState state;
  state.parameters = initial_parameters(layout, 5);
  state.norm_statistics = initial_norm_statistics(layout);
  state.momentum.assign(layout.parameter_count, 0);
  engine->set_training_data(views(shards), owned.first);
  engine->load(state);
  const std::vector<float> rates(steps, 0.1f);
  engine->begin_epoch({0, orders, rates, {}});
  std::vector<std::vector<float>> vectors;
  for (int step = 0; step < steps; ++step)
    engine->step(step, false,
                 [&](const ShardVectors& mine, std::span<float> total, const Queue& queue) {
                   reduce(mine, total, queue);
                   vectors.emplace_back(total.begin(), total.end());
                 });
  return vectors;
}

/// Gradients, norm statistics and counts of a step of R ranks are those of one process, to the bit,
/// also with uneven shards and a short last slice.
void expect_same_vectors(const std::string& engine, int shards) {
  Communicator& world = test_world();
  const Config config = config_with(shards);
  const auto single = make_single();
  const auto alone =
      reduced_vectors(engine, config, {0, shards},
                      [&](const ShardVectors& mine, std::span<float> total, const Queue& queue) {
                        single->tree_all_reduce(mine, shards, total, queue);
                      });
  const auto together =
      reduced_vectors(engine, config, even_share(world.rank(), world.size(), shards),
                      [&](const ShardVectors& mine, std::span<float> total, const Queue& queue) {
                        world.tree_all_reduce(mine, shards, total, queue);
                      });
  ASSERT_EQ(alone.size(), static_cast<std::size_t>(steps));
  for (int step = 0; step < steps; ++step) {
    const auto& a = alone[static_cast<std::size_t>(step)];
    const auto& b = together[static_cast<std::size_t>(step)];
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << "step " << step;
    EXPECT_GT(a[flat_layout(config.model).images()], 0) << "a step without images proves nothing";
  }
  EXPECT_NE(alone[0], alone[1]) << "steps differ, so the comparison can fail";
}

TEST(StepOnRanks, FusedEngine) {
  for (int shards : {4, 5, 7}) expect_same_vectors("fused", shards);
}
TEST(StepOnRanks, TorchEngine) {
  if (!MNIST_DIST_WITH_TORCH) GTEST_SKIP() << "this build has no reference engine";
  expect_same_vectors("torch", 5);
}

}  // namespace
}  // namespace mnist_dist
