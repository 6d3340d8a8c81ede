#include "report/run_page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/file.h"
#include "failures.h"
#include "report/chart.h"
#include "report/known_spread.h"
#include "sweep/records.h"
#include "sweep/verdict.h"
#include "temporary_folder.h"
#include "train/checkpoint.h"
#include "train/run_files.h"
#include "train/run_start.h"
#include "train/run_status.h"

namespace mnist_dist {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int epochs = 2, steps_per_epoch = 100;

Config recipe() {
  Config config = parse_config(sweep_record({}).recipe_text, "config.toml");
  config.train.epochs = epochs;
  config.average.decay = 0.9;
  return config;
}

RunInfo info_of_run() {
  RunInfo info;
  info.recipe = recipe().name;
  info.parameter_count = parameter_count(recipe().model);
  info.data = {.file = "nowhere.h5", .hash = std::string(64, 'b')};
  info.seed = recipe().train.seed;
  info.epochs = epochs;
  info.steps_per_epoch = steps_per_epoch;
  info.total_steps = std::int64_t{epochs} * steps_per_epoch;
  info.images_per_epoch = 6000;
  info.averaging = true;
  info.engine.name = "fused";
  info.engine.simd = "avx2";
  info.engine.device = "cpu";
  return info;
}

EpochRow row_of(int epoch, double images_per_second) {
  EpochRow row;
  row.epoch = epoch;
  row.train = {0.5 / epoch, 90.0, 5400, 6000};
  row.test = Score{0.1, 50, 2, 4};
  row.averaged_test = Score{0.1, 50, 2, 4};
  row.learning_rate = 0.01;
  row.images_per_second = images_per_second;
  row.seconds = 1;
  return row;
}

/// Four images, two of them right.
RunResult result_of(std::int64_t steps) {
  RunResult result;
  result.final = {0.1, 50, 2, 4};
  result.best = {50, 1};
  result.parameters_sha256 = result.raw_parameters_sha256 = std::string(64, 'a');
  result.steps = steps;
  result.predictions = {
      {10, 7, 7, 0.4, 0.4}, {11, 4, 9, 0.6, 0.3}, {12, 5, 6, 0.9, 0.01}, {13, 1, 1, 0.9, 0.9}};
  return result;
}

/// A run's folder, written as training does.
struct RunPageTest : testing::Test {
  TemporaryFolder folder;
  RunPageTest() { write_file_atomically(folder / "config.toml", to_toml(recipe())); }
  void change(const char* file, const std::string& was, const std::string& is,
              const std::string& what) {
    std::string text = read_text_file(folder / file);
    ASSERT_NE(text.find(was), text.npos) << what;
    write_file_atomically(folder / file, text.replace(text.find(was), was.size(), is));
  }
  RunFiles begun() { return RunFiles(folder.path(), write_run_page); }
  std::string page() const { return read_text_file(folder / "report.html"); }
  nlohmann::json json(const char* file) const {
    return nlohmann::json::parse(read_text_file(folder / file));
  }
};

std::size_t place(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, text.npos) << part;
  return at;
}

TEST_F(RunPageTest, ShowsTheVerdictFirstThenCurvesMistakesAndModel) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.epoch_ended(row_of(1, 1000));
  files.epoch_ended(row_of(2, 1000));
  files.finished(result_of(200));
  const std::string html = page();
  std::size_t before =
      place(html, "class=\"verdict DONE\">50.00 %: 2 of 4 test images, 2 mistakes");
  for (const char* part :
       {"accuracy by epoch", "loss by epoch", "learning rate", "Confusion matrix",
        "label 4, predicted 9: 1", "<h2>2 mistakes", "<br>#12", "<br>#11", "Right, but uncertain",
        "<br>#10", "<br>#13", "receptive field", "images/s", "<details>"}) {
    const std::size_t at = place(html, part);
    EXPECT_LT(before, at) << part << ": worst first, and least certain first";
    before = at;
  }
  EXPECT_THAT(html, AllOf(HasSubstr("prefers-color-scheme:dark"), HasSubstr("name=\"viewport\""),
                          HasSubstr(">training</text>"), HasSubstr("averaged (delivered)</text>")));
  for (const char* outside : {"<script", "<link", "src=\"http", "href=", "url(http", "@import"})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  EXPECT_EQ(json("status.json")["status"], "finished");
}

TEST_F(RunPageTest, MaxStepsIsNotCalledFinished) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.epoch_ended(row_of(1, 1000));
  files.finished(result_of(50));
  EXPECT_EQ(json("status.json")["status"], "max_steps");
  EXPECT_THAT(page(), AllOf(HasSubstr("verdict INCOMPLETE"), HasSubstr("after 50 steps"),
                            HasSubstr("0.5 of 2 epochs")));
}

TEST_F(RunPageTest, ADivergedRunIsShownWithItsLayer) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.epoch_ended(row_of(1, 1000));
  const std::string message =
      "training diverged at epoch 2 step 5 (learning rate 1). First non-finite value: activation "
      "of "
      "layer 3 (conv = 12) on rank 0, shard 1";
  files.failed({ExitCode::diverged, message, 1, 4});
  EXPECT_THAT(page(), AllOf(HasSubstr("verdict FAIL"), HasSubstr("diverged: " + message)));
  EXPECT_EQ(json("status.json")["layer"], "layer 3 (conv = 12)");
  EXPECT_EQ(json("status.json")["step"], 4);
  EXPECT_FALSE(std::filesystem::exists(folder / "summary.json"));
}

TEST_F(RunPageTest, AStoppedRunShowsTheCommandToResumeIt) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.failed({ExitCode::interrupted, "stopped by a signal", 0, 7});
  EXPECT_EQ(json("status.json")["status"], "stopped");
  EXPECT_THAT(run_page(folder.path()), AllOf(HasSubstr("not finished"), HasSubstr("epoch 1 step 7"),
                                             HasSubstr("--resume --run-dir")));
}

TEST_F(RunPageTest, AFailureToWriteDoesNotHideTheRunsError) {
  RunFiles files = begun();
  files.started(info_of_run());
  std::filesystem::remove_all(folder.path());
  files.failed({ExitCode::data, "no space", 0, 1});
  EXPECT_FALSE(std::filesystem::exists(folder.path()));
}

TEST_F(RunPageTest, TheRateIsTheWholeRuns) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.epoch_ended(row_of(1, 1000));  // 6 s
  files.epoch_ended(row_of(2, 3000));  // 2 s
  files.finished(result_of(200));
  EXPECT_DOUBLE_EQ(json("summary.json")["images_per_second"], 1500);
}

TEST_F(RunPageTest, PredictionsThatContradictTheAccuracyAreRejected) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.epoch_ended(row_of(1, 1000));
  files.epoch_ended(row_of(2, 1000));
  files.finished(result_of(200));
  std::string text = read_text_file(folder / "predictions.csv");
  text.replace(text.find("11,4,9"), 6, "11,4,4");
  write_file_atomically(folder / "predictions.csv", text);
  EXPECT_THROW(run_page(folder.path()), Error);
}

TEST_F(RunPageTest, FilesThatContradictEachOtherAreRejected) {
  RunFiles files = begun();
  files.started(info_of_run());
  files.epoch_ended(row_of(1, 1000));
  files.epoch_ended(row_of(2, 1000));
  files.finished(result_of(200));
  Checkpoint checkpoint = fresh_start(recipe());
  checkpoint.data_hash = info_of_run().data.hash;
  checkpoint.epoch = 2;
  checkpoint.finished = true;
  checkpoint.state.updates = 200;
  for (const char* hash : {"parameters_sha256", "raw_parameters_sha256"})
    change("summary.json", std::string(64, 'a'), weights_sha256(checkpoint.state.parameters, {}),
           hash);
  save_checkpoint(folder.path(), checkpoint);
  run_page(folder.path());
  const auto expect = [&](const char* file, const std::string& was, const std::string& is,
                          const std::string& why) {
    const std::string before = read_text_file(folder / file);
    change(file, was, is, why);
    EXPECT_THAT(data_failure([&] { run_page(folder.path()); }), HasAll(file, why))
        << is << " for " << was;
    write_file_atomically(folder / file, before);
  };
  expect("config.toml", "momentum = 0.9", "momentum = 0.8", "momentum = 0.8");
  expect("config.toml", "learning_rate = 0.01", "learning_rate = 0.02", "learning_rate = 0.02");
  expect("config.toml", "seed = 1", "seed = 2", "seed = 2");
  expect("metrics.csv", ",0.01,", ",0.02,", "learning_rate");
  expect("summary.json", "\"fused\"", "\"warp\"", "engine");
  expect("summary.json", "\"avx2\"", "\"avx9\"", "simd");
  expect("summary.json", "\"device\": \"cpu\"", "\"device\": \"\"", "device");
  expect("summary.json", "\"steps\": 200", "\"steps\": 100", "steps");
  // Without the checkpoint, too, as far as the other files say.
  std::filesystem::remove(folder / "checkpoint.h5");
  run_page(folder.path());
  expect("summary.json", "\"steps\": 200", "\"steps\": 201", "steps");
  expect("summary.json", "\"steps\": 200", "\"steps\": -200", "steps");
}

TEST(KnownSpread, ComesFromThePublishedSweeps) {
  const auto step4 = known_spread("step4");
  ASSERT_TRUE(step4);
  EXPECT_EQ(step4->seeds, 100);
  EXPECT_NEAR(step4->sd, 0.0446, 0.0001);
  EXPECT_FALSE(known_spread("step4 (modified)"));
  EXPECT_FALSE(known_spread(""));
}

/// The numbers at an axis: the texts that are anchored in the middle (x) or at their end (y).
std::vector<std::string> marks(const std::string& svg, const std::string& anchor) {
  const std::regex mark("text-anchor=\"" + anchor + "\" fill=\"#4b5563\">([-0-9.e+]+)</text>");
  std::vector<std::string> out;
  for (std::sregex_iterator it(svg.begin(), svg.end(), mark), end; it != end; ++it)
    out.push_back((*it)[1]);
  return out;
}

TEST(Chart, NoMarkOfAnAxisRepeats) {
  for (const auto& [low, high, decimals] :
       {std::tuple(1.0, 1.0, 0), std::tuple(1.0, 3.0, 0), std::tuple(0.0, 1.15, 0),
        std::tuple(0.0, 2.3, 0), std::tuple(99.4, 99.41, 2), std::tuple(0.0, 0.1, 0),
        std::tuple(1.0, 1e6, 0)}) {
    const Chart chart("title", {low, high, "x", decimals}, {low, high, "y", decimals});
    for (const char* anchor : {"middle", "end"}) {
      const auto texts = marks(chart.svg(), anchor);
      EXPECT_FALSE(texts.empty()) << low << ".." << high;
      EXPECT_EQ(std::set(texts.begin(), texts.end()).size(), texts.size()) << low << ".." << high;
    }
  }
}

TEST(Chart, ASinglePointIsADot) {
  Chart chart("title", {1, 1, "epoch", 0}, {0, 1, "", 1});
  chart.line({{1, 0.5}}, color::good, 2);
  EXPECT_THAT(chart.svg(), AllOf(HasSubstr("<circle"), HasSubstr(">1</text>")));
}

TEST(Verdict, NoIntervalOfAnAccuracyPassesOneHundred) {
  const SweepRecord record = sweep_record({9999, 10000, 5000});
  const Verdict verdict = verdict_of(record);
  EXPECT_EQ(verdict.final.mean_interval.high, 100);
  EXPECT_GE(verdict.final.mean_interval.low, 0);
}

}  // namespace
}  // namespace mnist_dist
