#include "report/confusion.h"

#include <gtest/gtest.h>

namespace mnist_dist {
namespace {

TEST(Confusion, CountsAndRecall) {
  const std::vector<ClassIndex> labels = {0, 0, 0, 7, 7}, predictions = {0, 0, 6, 7, 1};
  const Confusion counts = confusion_of(labels, predictions);
  EXPECT_EQ(counts[0][0], 2);
  EXPECT_EQ(counts[0][6], 1);
  EXPECT_EQ(counts[7][1], 1);
  const std::string table = confusion_table(counts, 0);
  EXPECT_NE(table.find("66.67%"), std::string::npos);
  EXPECT_NE(table.find("50.00%"), std::string::npos);
}

}  // namespace
}  // namespace mnist_dist
