#include "report/live_line.h"

#include <gtest/gtest.h>

namespace mnist_dist {
namespace {

TEST(LiveLine, FitsInFrontOfTheLastColumn) {
  EXPECT_EQ(fitted("epoch 1/2", 80), "epoch 1/2");
  EXPECT_EQ(fitted("epoch 1/2", 10), "epoch 1/2");
  EXPECT_EQ(fitted("epoch 1/2", 9), "epoch 1/");
  EXPECT_EQ(fitted("epoch 1/2", 1), "");
  EXPECT_EQ(fitted("epoch 1/2", 0), "epoch 1/2") << "the width is not known";
}

}  // namespace
}  // namespace mnist_dist
