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

TEST(Nearest, SuggestsOrLists) {
  EXPECT_EQ(suggest("epoch", known), "did you mean epochs?");
  EXPECT_EQ(suggest("interpolation", known), "known: epochs, batch, seed, learning_rate");
}

}  // namespace
}  // namespace mnist_dist
