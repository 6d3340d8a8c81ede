#include "engine/fused/fused_engine.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"
#include "engine/fused/test_models.h"
#include "engine/test_model.h"
#include "failures.h"
#include "model/reduce_tree.h"

namespace mnist_dist {
namespace {

/// Parameters and norm statistics after three steps over four shards of 10, 8, 8 and 6 images: the
/// last slices are short, then empty.
std::vector<float> train(int threads, const std::string& target) {
  EngineOptions options = test_options(seed_models()[2], threads);
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.3;
  options.simd = target;
  std::vector<Images> shards;
  std::vector<std::vector<std::uint32_t>> orders;
  std::uint32_t row = 0;
  for (const int rows : {10, 8, 8, 6}) {
    shards.push_back(noise_images(rows, static_cast<int>(row)));
    auto& order = orders.emplace_back();
    for (int i = 0; i < rows; ++i) order.push_back(row++);
  }
  const std::vector<float> rates(3, 0.05f);
  const auto engine = make_fused_engine(options);
  engine->set_training_data(views(shards), 0);
  engine->load(fresh_state(flat_layout(options.config.model), false));
  engine->begin_epoch({.epoch = 1, .orders = orders, .learning_rates = rates, .before = {}});
  for (int step = 0; step < 3; ++step) engine->step(step, false, add_tree);
  TrainState state = engine->save();
  state.parameters.insert(state.parameters.end(), state.norm_statistics.begin(),
                          state.norm_statistics.end());
  return state.parameters;
}

TEST(FusedEngine, ThreadsChangeNoBitOnAnyTarget) {
  for (const std::string& target : fused_targets()) {
    const auto one = train(1, target);
    for (const int threads : {2, 3, 4})
      EXPECT_EQ(train(threads, target), one) << target << ", " << threads << " threads";
  }
}

TEST(FusedEngine, NamesItsTarget) {
  EngineOptions options = test_options(linear_model());
  for (const std::string& target : fused_targets()) {
    options.simd = target;
    EXPECT_EQ(make_fused_engine(options)->info().simd, target);
  }
}

TEST(FusedEngine, TargetsHaveRecordedNames) {
  EXPECT_THAT(fused_targets(), testing::IsSubsetOf(all_fused_targets));
}

TEST(FusedEngine, RejectsUnknownTargets) {
  EngineOptions options = test_options(linear_model());
  options.simd = "quantum";
  const Error error = failure(ExitCode::usage, [&] { make_fused_engine(options); });
  EXPECT_THAT(error.what(), testing::HasSubstr("quantum"));
  EXPECT_THAT(error.hint(), testing::HasSubstr(fused_targets().back()));
}

}  // namespace
}  // namespace mnist_dist
