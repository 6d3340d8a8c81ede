#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace mnist_dist {
namespace {

const std::vector<std::string> known{"epochs", "batch", "seed", "learning_rate"};

TEST(Nearest, FindsTheNameThatWasMeant) {
  EXPECT_EQ(nearest_name("epoch", known), "epochs");
  EXPECT_EQ(nearest_name("sead", known), "seed");
  EXPECT_EQ(nearest_name("learning_rte", known), "learning_rate");
  EXPECT_EQ(nearest_name("batch", known), "batch");
}

TEST(Nearest, DoesNotGuessWildly) { EXPECT_EQ(nearest_name("interpolation", known), ""); }

TEST(Nearest, ShortWordsAreNotNearEachOther) {
  const std::vector<std::string> commands{"train", "tune", "step1", "step4", "sets"};
  EXPECT_EQ(nearest_name("runs", commands), "");
  EXPECT_EQ(nearest_name("tnue", commands), "tune") << "two letters changed places";
  EXPECT_EQ(nearest_name("trian", commands), "train");
}

TEST(Nearest, AMissingLetterIsNearerThanADifferentOne) {
  const std::vector<std::string> flags{"--set", "--seed"}, reversed{"--seed", "--set"};
  EXPECT_EQ(nearest_name("--sed", flags), "--seed");
  EXPECT_EQ(nearest_name("--sed", reversed), "--seed");
  EXPECT_EQ(nearest_name("--see", reversed), "--seed");
}

TEST(Nearest, ADifferentNumberIsNoSlip) {
  const std::vector<std::string> recipes{"step1", "step4", "size-3044"};
  EXPECT_EQ(nearest_name("step5", recipes), "");
  EXPECT_EQ(nearest_name("size-3043", recipes), "");
  EXPECT_EQ(nearest_name("setp4", recipes), "step4");
  EXPECT_EQ(nearest_name("steps4", recipes), "step4");
}

TEST(Nearest, SuggestsOrLists) {
  EXPECT_EQ(suggest("epoch", known), "did you mean epochs?");
  EXPECT_EQ(suggest("interpolation", known), "use one of: epochs, batch, seed, learning_rate");
}

}  // namespace
}  // namespace mnist_dist
