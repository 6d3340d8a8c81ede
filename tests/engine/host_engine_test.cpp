#include "engine/host_engine.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "engine/update.h"
#include "model/reduce_tree.h"
#include "test_model.h"

namespace mnist_dist {
namespace {

constexpr std::uint32_t poisoned_row = 1000000;  // of no image

/// Arithmetic instead of a network: every number depends on the images, their order in the slice
/// and the parameters, and rounds.
class FakeWorker final : public SliceWorker {
 public:
  explicit FakeWorker(std::uint32_t bad_row) : bad_row_(bad_row) {}

  void train(const Slice& slice, std::span<const float> parameters, std::span<float> out) override {
    std::ranges::fill(out, 0.0f);
    for (std::size_t n = 0; n < slice.rows.size(); ++n)
      for (std::size_t i = 0; i < parameters.size(); ++i)
        out[i] += parameters[i] * 0.1f + static_cast<float>(slice.images[n][i % image_size]) *
                                             0.01f *
                                             static_cast<float>(slice.rows[n] + slice.epoch);
    out[parameters.size()] = static_cast<float>(slice.count());
    out[parameters.size() + 1] = 0.3f * static_cast<float>(slice.rows[0]);
    out[parameters.size() + 2] = static_cast<float>(std::ranges::count(slice.labels, 3));
    out[parameters.size() + 3] = 1;  // not the worker's to set
    if (std::ranges::count(slice.rows, bad_row_) > 0)
      out[1] = std::numeric_limits<float>::quiet_NaN();
  }

  void evaluate(std::span<const std::uint8_t> pixels, std::span<const ClassIndex> labels,
                const WeightsView& weights, std::span<float> losses,
                std::span<ClassIndex> predictions, std::span<float> logits) override {
    // Each image's logits are its first pixel, ten times.
    for (std::size_t i = 0; i < logits.size(); ++i)
      logits[i] = static_cast<float>(pixels[i / class_count * image_size]);
    EXPECT_LE(labels.size(), static_cast<std::size_t>(evaluation_chunk));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      losses[i] = static_cast<float>(pixels[i * image_size]) * 0.37f + weights.parameters[0];
      predictions[i] = pixels[i * image_size] % class_count;
    }
  }

  std::optional<Diagnosis> diagnose(const Slice& slice, std::span<const float>) override {
    if (std::ranges::count(slice.rows, bad_row_) == 0) return {};
    return Diagnosis{.layer = 0, .where = "gradient"};
  }

 private:
  std::uint32_t bad_row_;
};

/// Shards of 10, 9, 0 and 5 rows from row 100, in slices of 4: steps 0 and 1 are full, 2 is short
/// or empty, 3 has only two images.
struct Fixture {
  EngineOptions options;
  FlatLayout layout;
  std::vector<Images> shards, shares;
  std::vector<std::vector<std::uint32_t>> orders;
  std::vector<float> rates{0.01f, 0.01f, 0.01f};
  std::unique_ptr<Engine> engine;

  explicit Fixture(int threads, std::uint32_t bad_row = poisoned_row)
      : options(test_options(linear_model(), threads)) {
    options.config.average.decay = 0.9;
    layout = flat_layout(options.config.model);
    int row = 100;
    for (const int rows : {10, 9, 0, 5}) {
      shards.push_back(noise_images(rows, row));
      auto& order = orders.emplace_back();
      for (int i = rows - 1; i >= 0; --i) order.push_back(static_cast<std::uint32_t>(row + i));
      row += rows;
    }
    for (const int rows : {700, 0, 3}) shares.push_back(noise_images(rows, 5));
    engine =
        make_host_engine(options, {.name = "fake", .device = "cpu", .simd = "", .versions = {}},
                         [bad_row] { return std::make_unique<FakeWorker>(bad_row); });
    engine->set_training_data(views(shards), 0);
    engine->set_evaluation_data(views(shares));
    engine->load(fresh_state(layout, true));
    engine->begin_epoch({.epoch = 2, .orders = orders, .learning_rates = rates, .before = {}});
  }

  void step(int index, bool stop = false) { engine->step(index, stop, add_tree); }
};

TEST(HostEngine, ThreadsShareTheShardsAndChangeNoBit) {
  Fixture one(1);
  for (int i = 0; i < 3; ++i) one.step(i);
  const TrainState expected = one.engine->save();
  for (const int threads : {2, 3, 4, 7}) {
    Fixture many(threads);
    for (int i = 0; i < 3; ++i) many.step(i);
    const TrainState state = many.engine->save();
    EXPECT_EQ(state.parameters, expected.parameters) << threads;
    EXPECT_EQ(state.momentum, expected.momentum) << threads;
    EXPECT_EQ(state.average_parameters, expected.average_parameters) << threads;
    EXPECT_EQ(many.engine->report(true).sums.loss, one.engine->report(true).sums.loss);
  }
  EXPECT_NE(expected.parameters, fresh_state(one.layout, true).parameters);
}

TEST(HostEngine, AStepIsTheUpdateOfTheSumOfItsSlices) {
  Fixture test(2);
  TrainState expected = fresh_state(test.layout, true);
  const Update update(test.layout, test.options.config.optimizer, test.options.config.average);
  FakeWorker worker(poisoned_row);
  for (int step = 0; step < 3; ++step) {
    test.step(step);
    std::vector<float> parts(4 * test.layout.stride(), 0.0f), total(test.layout.size());
    for (std::size_t shard = 0; shard < 4; ++shard) {
      const auto first = std::min(test.orders[shard].size(), static_cast<std::size_t>(step) * 4);
      const auto rows =
          std::span(test.orders[shard])
              .subspan(first, std::min<std::size_t>(4, test.orders[shard].size() - first));
      if (rows.empty()) continue;
      std::vector<const std::uint8_t*> images;
      std::vector<ClassIndex> labels;
      for (const std::uint32_t row : rows) {
        images.push_back(
            test.shards[shard].image(static_cast<int>(row) - test.shards[shard].first_row));
        labels.push_back(static_cast<std::uint8_t>(row % class_count));
      }
      const std::span<float> out(parts.data() + shard * test.layout.stride(), test.layout.size());
      worker.train({images, labels, rows, 2}, expected.parameters, out);
      out[test.layout.stop()] = 0;
    }
    add_tree({parts.data(), test.layout.size(), test.layout.stride(), 0, 4}, total, {});
    update.apply(total, 0.01f, expected);
  }
  EXPECT_EQ(test.engine->save().parameters, expected.parameters);
  EXPECT_EQ(test.engine->save().updates, 3);
}

TEST(HostEngine, CountsEveryImageOnceAndContinuesEarlierSums) {
  Fixture test(2);
  for (int i = 0; i < 3; ++i) test.step(i);
  const StepReport report = test.engine->report(true);
  EXPECT_EQ(report.steps_done, 3);
  EXPECT_EQ(report.sums.images, 24);
  EXPECT_EQ(report.sums.correct, 3);  // rows 103, 113 and 123
  EXPECT_FALSE(report.stopped_at || report.non_finite_at);

  test.engine->begin_epoch({.epoch = 2,
                            .orders = test.orders,
                            .learning_rates = test.rates,
                            .before = {.images = 40, .correct = 30, .loss = 1.5}});
  test.step(2);
  EXPECT_EQ(test.engine->report(true).sums.images, 43);
  EXPECT_EQ(test.engine->report(true).steps_done, 3);
}

TEST(HostEngine, HandsTheShardsToReduceAlignedAndInOrder) {
  Fixture test(2);
  test.engine->set_training_data(views(test.shards), 8);
  test.engine->step(0, false,
                    [&](const ShardVectors& vectors, std::span<float> total, const Queue& queue) {
                      EXPECT_EQ(vectors.first_shard, 8);
                      EXPECT_EQ(vectors.count, 4);
                      EXPECT_EQ(vectors.size, test.layout.size());
                      EXPECT_EQ(total.size(), test.layout.size());
                      EXPECT_EQ(queue.device, -1);
                      for (int i = 0; i < 4; ++i)
                        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(vectors[i].data()) % 64, 0u);
                      EXPECT_EQ(vectors[0][test.layout.images()], 4);
                      EXPECT_THAT(vectors[2], testing::Each(0.0f)) << "the empty shard";
                      add_tree(vectors, total, queue);
                    });
}

TEST(HostEngine, StopIsAppliedThenEndsTheEpoch) {
  Fixture test(2);
  test.step(0);
  test.step(1, true);
  const TrainState stopped = test.engine->save();
  EXPECT_EQ(stopped.updates, 2);
  EXPECT_EQ(test.engine->report(false).stopped_at, 1);
  test.step(2);
  EXPECT_EQ(test.engine->save().parameters, stopped.parameters);
  EXPECT_EQ(test.engine->report(false).steps_done, 2);
}

TEST(HostEngine, NonFiniteStepIsNotAppliedAndIsDiagnosed) {
  Fixture test(2, 115);  // in shard 1, shown at step 0
  const TrainState before = test.engine->save();
  EXPECT_FALSE(Fixture(1).engine->diagnose(0));
  test.step(0);
  test.step(1);
  EXPECT_EQ(test.engine->report(true).non_finite_at, 0);
  EXPECT_EQ(test.engine->report(true).steps_done, 0);
  EXPECT_EQ(test.engine->report(true).sums.images, 0);
  EXPECT_EQ(test.engine->save().parameters, before.parameters);
  EXPECT_EQ(test.engine->save().updates, 0);
  const auto diagnosis = test.engine->diagnose(0);
  ASSERT_TRUE(diagnosis);
  EXPECT_EQ(diagnosis->shard, 1);
  EXPECT_EQ(diagnosis->where, "gradient");
  EXPECT_FALSE(test.engine->diagnose(2));
}

TEST(HostEngine, GivesTheLogitsOfEveryRowInOrder) {
  for (const int threads : {1, 3}) {
    Fixture test(threads);
    std::vector<float> logits{1, 2, 3};
    test.engine->evaluate(Weights::raw, nullptr, &logits);
    ASSERT_EQ(logits.size(), 703u * class_count);
    std::size_t row = 0;
    for (const Images& share : test.shares)
      for (int i = 0; i < share.count(); ++i, ++row)
        for (std::size_t c = 0; c < class_count; ++c)
          ASSERT_EQ(logits[row * class_count + c], share.image(i)[0]) << row;
  }
}

TEST(HostEngine, EvaluatesEveryRowInOrderForAnyThreads) {
  Fixture one(1);
  std::vector<ClassIndex> predictions;
  const auto expected = one.engine->evaluate(Weights::raw, &predictions);
  ASSERT_EQ(expected.size(), 3u);
  EXPECT_EQ(expected[0].images, 700);
  EXPECT_EQ(expected[1].images, 0);
  EXPECT_EQ(expected[2].images, 3);
  ASSERT_EQ(predictions.size(), 703u);
  std::int64_t correct = 0;
  double loss = 0;
  const float shift = one.engine->save().parameters[0];
  for (int row = 0; row < 700; ++row) {
    const std::uint8_t pixel = *one.shares[0].image(row);
    EXPECT_EQ(predictions[static_cast<std::size_t>(row)], pixel % 10);
    correct += pixel % 10 == one.shares[0].labels[static_cast<std::size_t>(row)] ? 1 : 0;
    loss += double{static_cast<float>(pixel) * 0.37f + shift};
  }
  EXPECT_EQ(expected[0].correct, correct);
  EXPECT_EQ(expected[0].loss, loss);
  for (const int threads : {2, 3, 4}) {
    const auto sums = Fixture(threads).engine->evaluate(Weights::raw);
    EXPECT_EQ(sums[0].loss, loss);
    EXPECT_EQ(sums[0].correct, correct);
  }
}

TEST(HostEngine, EvaluatesAveragedWeights) {
  Fixture test(1);
  TrainState state = fresh_state(test.layout, true);
  state.parameters[0] = 0;
  state.average_parameters[0] = 2;
  test.engine->load(state);
  EXPECT_NEAR(test.engine->evaluate(Weights::averaged)[2].loss -
                  test.engine->evaluate(Weights::raw)[2].loss,
              3 * 2, 1e-4);
}

TEST(HostEngine, AWorkersExceptionReachesTheCaller) {
  class Failing final : public SliceWorker {
    void train(const Slice&, std::span<const float>, std::span<float>) override {
      throw std::runtime_error("no luck");
    }
    void evaluate(std::span<const std::uint8_t>, std::span<const ClassIndex>, const WeightsView&,
                  std::span<float>, std::span<ClassIndex>, std::span<float>) override {}
    std::optional<Diagnosis> diagnose(const Slice&, std::span<const float>) override { return {}; }
  };
  Fixture test(2);
  test.engine = make_host_engine(test.options, {}, [] { return std::make_unique<Failing>(); });
  test.engine->set_training_data(views(test.shards), 0);
  test.engine->load(fresh_state(test.layout, true));
  test.engine->begin_epoch(
      {.epoch = 0, .orders = test.orders, .learning_rates = test.rates, .before = {}});
  EXPECT_THROW(test.step(0), std::runtime_error);
}

TEST(HostEngine, RejectsAStateOfADifferentModel) {
  Fixture test(1);
  TrainState state = fresh_state(test.layout, true);
  state.momentum.pop_back();
  EXPECT_THROW(test.engine->load(state), std::invalid_argument);
}

}  // namespace
}  // namespace mnist_dist
