#include "train/run_files.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

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

TEST(Metrics, AResumedRunDropsRowsAfterItsCheckpoint) {
  const std::string text = "epoch,x\n1,a\n2,b\n3,c\n";
  EXPECT_EQ(keep_rows_before(text, 3), "1,a\n2,b\n");
  EXPECT_EQ(keep_rows_before(text, 1), "");
  EXPECT_EQ(keep_rows_before("epoch,x\n1,a\n2,b", 9), "1,a\n") << "a line cut short is no line";
  EXPECT_EQ(keep_rows_before("garbage\n-3,x\n\n2,b\n", 9), "2,b\n")
      << "what is no row does not take a row's or the header's place";
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
