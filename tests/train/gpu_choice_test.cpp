#include "train/gpu_choice.h"

#include <gtest/gtest.h>

#include <vector>

namespace mnist_dist {
namespace {

TEST(GpuChoice, EachRankOfAGroupNeedsItsOwn) {
  EXPECT_EQ(who_shares(std::vector<std::string>{"a", "b", "c", "d"}), "");
  EXPECT_EQ(who_shares(std::vector<std::string>{"a", "b", "a", "b"}), "ranks 0 and 2");
  EXPECT_EQ(who_shares(std::vector<std::string>{"a", "b", "c", "c"}), "ranks 2 and 3");
  EXPECT_EQ(who_shares(std::vector<std::string>{"a"}), "");
}

TEST(GpuChoice, ARankWithoutAGpuSharesNone) {
  EXPECT_EQ(who_shares(std::vector<std::string>{"", "a", ""}), "");
}

}  // namespace
}  // namespace mnist_dist
