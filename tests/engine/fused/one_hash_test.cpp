// One recipe, one seed, one hash: the recipes' first steps on drawn digits, on every SIMD target.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>
#include <tuple>

#include "base/sha256.h"
#include "data/order.h"
#include "data/synthetic.h"
#include "engine/fused/fused_engine.h"
#include "engine/test_model.h"
#include "train/schedule.h"

namespace mnist_dist {
namespace {

constexpr int rows = 1000;  // with four shards of 250 rows, last slices are short

/// SHA-256 of all that `steps` steps leave, and of the losses and predictions of the test digits.
std::string hash_after(const std::string& recipe, const std::string& target, int steps) {
  EngineOptions options;
  options.config = load_config(recipe, {}, {CONFIGS});
  options.threads = 1;
  options.simd = target;
  const Config& config = options.config;
  const Images digits = synthetic_digits(5, SyntheticSet::train, rows);
  std::vector<Images> shards;
  for (int shard = 0; shard < config.data.shards; ++shard) {
    const Range own = even_share(shard, config.data.shards, rows);
    Images& part = shards.emplace_back();
    part.first_row = own.first;
    part.pixels.assign(digits.image(own.first), digits.image(own.first) + own.size() * image_size);
    part.labels.assign(digits.labels.begin() + own.first, digits.labels.begin() + own.last);
  }
  const std::vector<Images> test{synthetic_digits(5, SyntheticSet::test, 300)};

  const auto engine = make_fused_engine(options);
  engine->set_training_data(views(shards), 0);
  engine->set_evaluation_data(views(test));
  TrainState state;
  const FlatLayout layout = flat_layout(config.model);
  state.parameters = initial_parameters(layout, config.train.seed);
  state.norm_statistics = initial_norm_statistics(layout);
  state.momentum.assign(layout.parameter_count, 0.0f);
  const bool averages = config.average.decay > 0;
  if (averages)
    state.average_parameters = state.parameters,
    state.average_norm_statistics = state.norm_statistics;
  engine->load(state);

  const int per_epoch =
      steps_per_epoch(rows, config.data.shards, config.train.batch / config.data.shards);
  const Schedule schedule(config, per_epoch);
  Sums sums;
  for (int step = 0; step < steps; ++step) {
    const auto epoch = static_cast<std::uint32_t>(step / per_epoch);
    if (step % per_epoch == 0) {
      std::vector<std::vector<std::uint32_t>> orders;
      for (int shard = 0; shard < config.data.shards; ++shard)
        orders.push_back(epoch_order(even_share(shard, config.data.shards, rows), shard,
                                     config.train.seed, epoch));
      std::vector<float> rates;
      for (int i = 0; i < per_epoch; ++i) rates.push_back(schedule.rate(step + i));
      engine->begin_epoch(
          {.epoch = epoch, .orders = orders, .learning_rates = rates, .before = {}});
    }
    engine->step(step % per_epoch, false, add_tree);
    sums = engine->report(true).sums;
  }
  std::vector<ClassIndex> predictions;
  const Sums scored =
      engine->evaluate(averages ? Weights::averaged : Weights::raw, &predictions).front();
  state = engine->save();
  const std::vector<std::uint8_t> bytes(
      predictions.begin(), predictions.end());  // as they were when the hashes were recorded
  const double losses[] = {sums.loss, scored.loss};
  Sha256 hash;
  for (const auto* values : {&state.parameters, &state.norm_statistics, &state.momentum,
                             &state.average_parameters, &state.average_norm_statistics})
    hash.add(std::as_bytes(std::span<const float>(*values)));
  hash.add(std::as_bytes(std::span(losses)))
      .add(std::as_bytes(std::span<const std::uint8_t>(bytes)));
  return hex(hash.digest());
}

/// After 3 and after 200 steps. A new number here is a new arithmetic, for which every published
/// result would have to be trained again.
struct Hashes {
  const char *recipe, *after_3, *after_200;
};
std::ostream& operator<<(std::ostream& out, const Hashes& hashes) { return out << hashes.recipe; }

constexpr Hashes recorded[] = {
    {"step1", "2ec51fc410266f43ff31209af6d814ff487b95727670f5f5ad1728dc1c5d1c73",
     "66d2a1488d52811648ff8084693ef72ae10656aa1ed235b26fdc810148e1406d"},
    {"step2", "8e9fd1e7b811912976042b22c6520731dd8affff5188d49e36d127803ae821d3",
     "4c143194079a6351c4977bf4394b7fb5f001e0193a1f844ba6500512f9a133d3"},
    {"step3", "1ca70f4f0290b8be402121cb26937c61151703ba079669a20c137875d38932c6",
     "53ffe7f5ee865fdb3d0ad7d498da8b149c24ef35e08fb2e96fc65733821687fe"},
    {"step4", "d8abea85a717dc43216ab51721f7a177d177011069f181bc9f4ca1d9e1b002e3",
     "62cf6bf539fd67964049869fb0a75a5619befbcf2eb1d021613a191cdad3d4db"},
    {"compact", "c5c7456c2d39791deadb885f671468830701c754d6d96bf609bd5b7f69dcbca3",
     "2a16191346593c3bdc70b6fbd504325375ca7ea6f48b2bddb3f08c370b569cf5"},
    {"step5", "fe3acbaad1cbf22c9c680987c998048cd0aad05b2f03419bf1f41640d1b3ad8a",
     "414ccc658d00105bb1af6d6c03c78b8d15749a5ed1a49877b266fa445aae5b3b"},
};

class OneHash : public testing::TestWithParam<std::tuple<std::string, Hashes>> {
 protected:
  const std::string& target() const { return std::get<0>(GetParam()); }
  const Hashes& hashes() const { return std::get<1>(GetParam()); }
};

TEST_P(OneHash, AfterThreeSteps) {
  EXPECT_EQ(hash_after(hashes().recipe, target(), 3), hashes().after_3);
}

TEST_P(OneHash, AfterTwoHundredSteps) {
  // Minutes on targets that emulate fused multiply-adds.
  const bool slow = target() == "scalar" || target().starts_with("sse");
  if (slow && !std::getenv("MNIST_DIST_SLOW_TESTS"))
    GTEST_SKIP() << "runs where MNIST_DIST_SLOW_TESTS is set, as tests/one_hash.sh sets it";
  EXPECT_EQ(hash_after(hashes().recipe, target(), 200), hashes().after_200);
}

INSTANTIATE_TEST_SUITE_P(Targets, OneHash,
                         testing::Combine(testing::ValuesIn(fused_targets()),
                                          testing::ValuesIn(recorded)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param).recipe;
                         });

}  // namespace
}  // namespace mnist_dist
