#include "train/predictions.h"

#include <gtest/gtest.h>

#include <array>

#include "base/file.h"
#include "failures.h"
#include "temporary_folder.h"
#include "train/run_status.h"

namespace mnist_dist {
namespace {

TEST(Predictions, AreTheSoftmaxOfLogits) {
  std::vector<float> logits(20, 0.0f);
  logits[3] = 1000;                                           // row 0: certain of 3
  const std::vector<ClassIndex> labels{3, 7}, classes{3, 0};  // row 1: ten equal logits
  const auto predictions = predictions_of(50000, labels, classes, logits);
  ASSERT_EQ(predictions.size(), 2u);
  EXPECT_EQ(predictions[0].index, 50000);
  EXPECT_TRUE(predictions[0].right());
  EXPECT_DOUBLE_EQ(predictions[0].probability, 1);
  EXPECT_FALSE(predictions[1].right());
  EXPECT_DOUBLE_EQ(predictions[1].probability, 0.1);
  EXPECT_DOUBLE_EQ(predictions[1].label_probability, 0.1);
  EXPECT_TRUE(predictions_of(0, labels, {}, {}).empty()) << "an engine that gave none";
}

TEST(Predictions, AreReadAsTheyWereWritten) {
  const TemporaryFolder folder;
  const std::vector<Prediction> written{{0, 7, 7, 0.25, 0.25}, {9999, 4, 9, 0.5, 0.125}};
  write_file_atomically(folder / "predictions.csv", predictions_csv(written));
  EXPECT_EQ(read_predictions(folder / "predictions.csv"), written);
}

TEST(Predictions, DamagedOnesAreRejected) {
  const TemporaryFolder folder;
  const std::string header = "index,label,predicted,probability,label_probability\n";
  for (const std::string& text :
       {std::string(), std::string("index\n"), header + "0,7,7,0.5\n",
        header + "0,1000,7,0.5,0.5\n", header + "0,7,7,1.5,0.5\n", header + "-1,7,7,0.5,0.5\n",
        header + "0,7,7,nan,0.5\n", header + "0,7,7,0.5,0.5,1\n"}) {
    write_file_atomically(folder / "predictions.csv", text);
    SCOPED_TRACE(text);
    data_failure([&] { read_predictions(folder / "predictions.csv"); });
  }
}

TEST(RunStatus, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  EXPECT_FALSE(read_status(folder.path()));
  RunStatus status;
  status.state = "diverged";
  status.epoch = 2;
  status.step = 17;
  status.layer = "layer 1 (conv = 4)";
  write_status(folder.path(), status);
  const auto found = read_status(folder.path());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, "diverged");
  EXPECT_EQ(found->step, 17);
  EXPECT_EQ(found->layer, "layer 1 (conv = 4)");
  for (const char* damaged : {"{", "[]", "{\"status\": \"asleep\"}", "{\"status\": 3}"}) {
    write_file_atomically(folder / "status.json", std::string_view(damaged));
    EXPECT_THROW(read_status(folder.path()), Error) << damaged;
  }
}

TEST(RunStatus, TheLayerIsTheOneThatTheMessageNames) {
  EXPECT_EQ(layer_in("diverged: activation of layer 3 (conv = 12) on rank 0"),
            "layer 3 (conv = 12)");
  EXPECT_EQ(layer_in("the loss"), "");
}

}  // namespace
}  // namespace mnist_dist
