#include "train/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;

TEST(Metrics, RowsHaveTheHeadersColumnsAndEmptyCellsWhereNothingWasScored) {
  EXPECT_EQ(metrics_header("test"),
            "epoch,train_loss,train_accuracy,test_loss,test_accuracy,averaged_test_accuracy,"
            "learning_rate,images_per_second,seconds\n");
  EpochRow row;
  row.epoch = 2;
  row.train = {0.25, 91.5, 0, 0};
  row.learning_rate = 0.01;
  row.images_per_second = 1234.56;
  row.seconds = 7.5;
  EXPECT_EQ(metrics_line(row), "2,0.250000,91.5000,,,,0.01,1234.6,7.500\n");
  row.test = Score{0.05, 98.76, 9876, 10000};
  EXPECT_EQ(metrics_line(row), "2,0.250000,91.5000,0.050000,98.7600,,0.01,1234.6,7.500\n");
}

TEST(Metrics, AResumedRunDropsRowsAfterItsCheckpointAndWhatIsNoRow) {
  const auto epochs = [](int first, const std::string& text) {
    std::vector<int> all;
    for (const EpochRow& row : rows_before(first, text, "test")) all.push_back(row.epoch);
    return all;
  };
  const std::string rest = ",0.5,90,0.25,91.5,,0.01,1000,1\n";
  const std::string text = metrics_header("test") + "1" + rest + "2" + rest + "3" + rest;
  EXPECT_THAT(epochs(3, text), ElementsAre(1, 2));
  EXPECT_THAT(epochs(1, text), ElementsAre());
  EXPECT_THAT(epochs(9, "1" + rest + "2" + rest.substr(0, rest.size() - 1)), ElementsAre(1))
      << "a line cut short is no line";
  EXPECT_THAT(epochs(9, "garbage\n-3" + rest + "\n2" + rest + "3,0.5,x,0.25,91.5,,0.01,1000,1\n"),
              ElementsAre(2));
  const EpochRow row = rows_before(2, text, "test").at(0);
  EXPECT_EQ(metrics_line(row), "1,0.500000,90.0000,0.250000,91.5000,,0.01,1000.0,1.000\n");
}

TEST(RunFiles, TheSummaryIsWrittenForAnyCommand) {
  const TemporaryFolder folder;
  RunInfo info;
  info.recipe = "tiny";
  info.command = "mnist-dist --run-dir u\xff";
  RunFiles files(folder.path());
  files.started(info);
  files.finished({});
  const auto summary = nlohmann::json::parse(read_text_file(folder / "summary.json"));
  EXPECT_EQ(summary["recipe"], "tiny");
  EXPECT_EQ(summary["command"], "mnist-dist --run-dir u\xef\xbf\xbd");
}

TEST(RunFiles, ARunThatFailsBeforeItStartedIsDescribedByTheFailure) {
  const TemporaryFolder folder;
  RunFailure failure{ExitCode::data, "no space", 3, 4};
  failure.info.epochs = 5;
  failure.info.steps_per_epoch = 10;
  failure.info.data.synthetic = true;
  RunFiles(folder.path()).failed(failure);
  const auto status = nlohmann::json::parse(read_text_file(folder / "status.json"));
  EXPECT_EQ(status["status"], "failed");
  EXPECT_EQ(status["epochs"], 5);
  EXPECT_EQ(status["steps"], 50);
  EXPECT_EQ(status["data"], data_name({.synthetic = true}));
}

}  // namespace
}  // namespace mnist_dist
