#include "train/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "data/order.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

Config tiny_config() {
  Config config;
  config.name = "tiny";
  config.model.layers = {{.kind = LayerKind::linear, .channels = 10}};
  config.data.shards = 3;
  config.train.batch = 12;  // slices of 4
  config.train.epochs = 3;
  config.average.decay = 0.9;
  return config;
}

/// 3 shards of 10, 10 and 11 rows.
LocalData tiny_data() {
  LocalData data;
  data.training_rows = 31;
  data.evaluation_rows = 6;
  for (int shard = 0; shard < 3; ++shard) {
    const Range rows = even_share(shard, 3, 31);
    Images images;
    images.first_row = rows.first;
    images.labels.assign(static_cast<std::size_t>(rows.size()), 0);
    images.pixels.assign(static_cast<std::size_t>(rows.size()) * image_size, 0);
    data.training.push_back(view(data.own.emplace_back(images)));
    images.labels.assign(2, 0);
    data.evaluation.push_back(view(data.own.emplace_back(images)));
  }
  return data;
}

/// An engine without a model: counts what it is shown, and puts it into the first parameter so that
/// a lost or repeated step shows in the result.
class CountingEngine : public Engine {
 public:
  EngineInfo info() const override { return {"counting", "cpu", "none", {}, {}}; }
  void set_training_data(std::span<const ImagesView>, int) override {}
  void set_evaluation_data(std::span<const ImagesView> shares) override {
    evaluation_rows_set = true;
    shares_ = shares.size();
  }
  void load(const TrainState& state) override { state_ = state; }
  TrainState save() override { return state_; }
  void begin_epoch(const EpochPlan& plan) override {
    plan_ = plan;
    orders_.assign(plan.orders.begin(), plan.orders.end());
    rates_.assign(plan.learning_rates.begin(), plan.learning_rates.end());
    report_ = {0, plan.before, std::nullopt, std::nullopt};
  }
  void step(int index, bool stop, const Reduce&) override {
    for (const auto& order : orders_)
      for (std::size_t i = static_cast<std::size_t>(index) * 4;
           i < std::min(order.size(), static_cast<std::size_t>(index + 1) * 4); ++i) {
        ++seen[plan_.epoch][order[i]];
        ++report_.sums.images;
        report_.sums.loss += 0.1 * order[i];
        state_.parameters[0] =
            state_.parameters[0] * 0.99f +
            static_cast<float>(order[i]) * rates_[static_cast<std::size_t>(index)];
      }
    if (state_.updates == overflow_at) {
      report_.non_finite_at = index;
      return;
    }
    ++state_.updates;
    report_.steps_done = index + 1;
    if (stop) report_.stopped_at = index;
  }
  StepReport report(bool) override { return report_; }
  std::vector<Sums> evaluate(Weights weights, std::vector<ClassIndex>*,
                             std::vector<float>*) override {
    evaluations.push_back(weights);
    return std::vector<Sums>(shares_, Sums{2, 1 + (weights == Weights::averaged),
                                           weights == nan_from ? std::nan("") : 0.5});
  }
  std::optional<Diagnosis> diagnose(int) override { return Diagnosis{2, 0, "activation"}; }

  std::map<std::uint32_t, std::map<std::uint32_t, int>> seen;  ///< [epoch][row] -> times
  std::vector<Weights> evaluations;
  bool evaluation_rows_set = false;
  std::int64_t overflow_at = -1;
  std::optional<Weights> nan_from;  ///< score a loss that is not finite

 private:
  TrainState state_;
  EpochPlan plan_;
  std::vector<std::vector<std::uint32_t>> orders_;
  std::vector<float> rates_;
  StepReport report_;
  std::size_t shares_ = 0;
};

class Recorder : public Observer {
 public:
  void started(const RunInfo& i) override { info = i; }
  void epoch_ended(const EpochRow& row) override { rows.push_back(row); }
  void finished(const RunResult&) override { ++finishes; }
  RunInfo info;
  std::vector<EpochRow> rows;
  int finishes = 0;
};

struct TrainerTest : testing::Test {
  Config config = tiny_config();
  LocalData data = tiny_data();
  TemporaryFolder folder;
  std::unique_ptr<Communicator> comm = make_single();
  CountingEngine engine;
  Recorder recorder;

  TrainerOptions options(std::function<bool()> stop = {}, std::optional<Checkpoint> resume = {}) {
    return {.config = config,
            .data = data,
            .provenance = {.data = {.hash = "hash"}},
            .computed_by = "engine (simd)\nlibrary 1.0",
            .folder = folder.path(),
            .resume = std::move(resume),
            .between_steps = [stop](double) { return stop && stop(); },
            .observers = {&recorder}};
  }
};

TEST_F(TrainerTest, ShowsEveryImageOnceAnEpoch) {
  train(*comm, engine, options());
  ASSERT_EQ(engine.seen.size(), 3u);
  for (const auto& [epoch, rows] : engine.seen) {
    EXPECT_EQ(rows.size(), 31u) << "epoch " << epoch;
    for (const auto& [row, times] : rows) EXPECT_EQ(times, 1) << "row " << row;
  }
  EXPECT_EQ(recorder.info.steps_per_epoch, 3);  // ceil(11 / 4): the longest shard decides
  EXPECT_EQ(recorder.info.total_steps, 9);
}

TEST_F(TrainerTest, ObserversAreCalledInTheirOrderAndTheShareThatIsDoneGrows) {
  struct Named : Observer {
    Named(std::string its_name, std::string& its_calls)
        : name(std::move(its_name)), calls(its_calls) {}
    void started(const RunInfo&) override { calls += name; }
    void failed(const RunFailure&) noexcept override { calls += name; }
    std::string name;
    std::string& calls;
  };
  std::string calls;
  Named files("f", calls), console("c", calls);
  std::vector<double> shares;
  TrainerOptions watched = options();
  watched.observers = {&files, &console};
  watched.between_steps = [&](double share) {
    shares.push_back(share);
    return shares.size() == 5;
  };
  EXPECT_THROW(train(*comm, engine, watched), Error);
  EXPECT_EQ(calls, "fccf") << "at a failure, the last one first";
  EXPECT_EQ(shares, (std::vector<double>{0, 1 / 9., 2 / 9., 3 / 9., 4 / 9.}));
}

TEST_F(TrainerTest, ScoresBothWeightsAndDeliversTheAveragedOnes) {
  const RunResult result = train(*comm, engine, options());
  ASSERT_EQ(recorder.rows.size(), 3u);
  EXPECT_DOUBLE_EQ(recorder.rows[0].test->accuracy, 50.0);
  EXPECT_DOUBLE_EQ(recorder.rows[0].averaged_test->accuracy, 100.0);
  EXPECT_DOUBLE_EQ(result.final.accuracy, 100.0);
  EXPECT_EQ(result.final.correct, 6);
  EXPECT_EQ(result.best.epoch, 1) << "the first epoch that reached the best";
  EXPECT_EQ(recorder.finishes, 1);
}

TEST_F(TrainerTest, EvaluatesEveryKEpochsAndAlwaysTheLast) {
  config.train.evaluate_every = 2;
  train(*comm, engine, options());
  EXPECT_FALSE(recorder.rows[0].test);
  EXPECT_TRUE(recorder.rows[1].test);
  EXPECT_TRUE(recorder.rows[2].test);
}

TEST_F(TrainerTest, UnscoredItNeverOpensTheEvaluationRows) {
  TrainerOptions unscored = options();
  unscored.scored = false;
  const RunResult result = train(*comm, engine, unscored);
  EXPECT_TRUE(engine.evaluations.empty());
  EXPECT_FALSE(engine.evaluation_rows_set);
  CountingEngine scored;
  EXPECT_EQ(result.raw_parameters_sha256, train(*comm, scored, options()).raw_parameters_sha256);
}

TEST_F(TrainerTest, MaxStepsEndsTheRunWithAnEvaluation) {
  config.train.max_steps = 4;
  const RunResult result = train(*comm, engine, options());
  EXPECT_EQ(result.steps, 4);
  ASSERT_EQ(recorder.rows.size(), 2u);
  EXPECT_TRUE(recorder.rows[1].averaged_test);
  const Checkpoint checkpoint = load_checkpoint(folder.path() / "checkpoint.h5");
  EXPECT_EQ(checkpoint.state.updates, 4);
  EXPECT_EQ(checkpoint.engine, "engine (simd)\nlibrary 1.0");
}

TEST_F(TrainerTest, StopsAfterAnyStepAndResumesToTheSameEnd) {
  const RunResult whole = train(*comm, engine, options());
  const std::vector<EpochRow> whole_rows = recorder.rows;
  for (int stop_after = 1; stop_after <= 9; ++stop_after) {
    SCOPED_TRACE(stop_after);
    CountingEngine first, second;
    recorder.rows.clear();
    int asked = 0;
    const Error error = failure(ExitCode::interrupted, [&] {
      train(*comm, first, options([&] { return ++asked == stop_after; }));
    });
    EXPECT_TRUE(error.is_on_all_ranks());
    const auto found = newest_checkpoint(folder.path());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->checkpoint.state.updates, stop_after);
    EXPECT_FALSE(found->checkpoint.finished);
    const RunResult resumed = train(*comm, second, options({}, found->checkpoint));
    EXPECT_EQ(resumed.raw_parameters_sha256, whole.raw_parameters_sha256);
    EXPECT_EQ(recorder.rows.back().train.loss, whole_rows.back().train.loss);
    EXPECT_EQ(recorder.rows.back().train.images, 31);
    EXPECT_EQ(resumed.best.epoch, whole.best.epoch);
  }
}

TEST_F(TrainerTest, ARunThatEndedIsMarkedFinished) {
  train(*comm, engine, options());
  EXPECT_TRUE(load_checkpoint(folder.path() / "checkpoint.h5").finished);
  EXPECT_FALSE(load_checkpoint(folder.path() / "checkpoint.prev.h5").finished);
}

TEST_F(TrainerTest, AWriteThatFailsBecauseTheFolderWasMovedNamesTheFolder) {
  struct Files : Observer {
    explicit Files(std::filesystem::path its_folder) : folder(std::move(its_folder)) {}
    void epoch_ended(const EpochRow&) override {
      if (moves) std::filesystem::rename(folder, folder.string() + ".moved");
      throw data_error("cannot write metrics.csv", "free some space");
    }
    std::filesystem::path folder;
    bool moves = false;
  } files(folder.path());
  const auto message = [&] {
    const FolderLock lock(folder.path());
    TrainerOptions watched = options();
    watched.lock = &lock;
    watched.observers = {&files};
    return data_failure([&] { train(*comm, engine, watched); });
  };
  EXPECT_EQ(message(), "cannot write metrics.csv");
  files.moves = true;
  EXPECT_NE(message().find(folder.path().string() + " was moved"), std::string::npos);
  std::filesystem::remove_all(folder.path().string() + ".moved");
}

TEST_F(TrainerTest, NothingIsWrittenIntoAFolderInThePlaceOfItsOwn) {
  const FolderLock lock(folder.path());
  TrainerOptions moved = options();
  moved.lock = &lock;
  moved.between_steps = [&](double) {  // before the last step of the second epoch
    if (recorder.rows.size() == 1 && engine.seen[1].size() == 24) {
      std::filesystem::rename(folder.path(), folder.path().string() + ".moved");
      std::filesystem::create_directory(folder.path());
    }
    return false;
  };
  data_failure([&] { train(*comm, engine, moved); });
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_EQ(recorder.rows.size(), 1u) << "an observer writes there too";
  std::filesystem::remove_all(folder.path().string() + ".moved");
}

TEST_F(TrainerTest, DivergenceNamesStepRateAndLayer) {
  engine.overflow_at = 4;
  const Error error = failure(ExitCode::diverged, [&] { train(*comm, engine, options()); });
  EXPECT_TRUE(error.is_on_all_ranks());
  EXPECT_THAT(error.what(), HasAll("epoch 2 step 2", "learning rate 0.01",
                                   "activation of layer 1 (linear = 10) on rank 0, shard 2"));
  EXPECT_EQ(load_checkpoint(folder.path() / "checkpoint.h5").epoch, 1u)
      << "the last good checkpoint stays";
}

TEST_F(TrainerTest, AParameterThatOverflowsInTheLastUpdateIsNotDelivered) {
  config.optimizer.learning_rate = 1e38;
  const Error error = failure(ExitCode::diverged, [&] { train(*comm, engine, options()); });
  EXPECT_THAT(error.what(), testing::HasSubstr("of layer 1 (linear = 10)"));
  EXPECT_EQ(recorder.finishes, 0);
}

TEST_F(TrainerTest, WeightsWhoseLossIsNotFiniteAreNotDelivered) {
  engine.nan_from = Weights::raw;
  train(*comm, engine, options());
  EXPECT_EQ(recorder.finishes, 1) << "the averaged ones are delivered";
  engine.nan_from = Weights::averaged;
  const Error error = failure(ExitCode::diverged, [&] { train(*comm, engine, options()); });
  EXPECT_TRUE(error.is_on_all_ranks());
  EXPECT_THAT(error.what(), testing::HasSubstr("last step 9"));
  EXPECT_EQ(recorder.finishes, 1);
}

}  // namespace
}  // namespace mnist_dist
