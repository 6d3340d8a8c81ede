#include "train/computation.h"

#include <gtest/gtest.h>

namespace mnist_dist {
namespace {

TEST(Computation, CheckpointsOfOlderProgramsThatPromiseTheSameBits) {
  EXPECT_TRUE(computes_the_same("fused (16 lanes)", "fused (16 lanes)"));
  EXPECT_TRUE(computes_the_same("fused (avx512)", "fused (16 lanes)"))
      << "16 lanes are what AVX-512 has";
  EXPECT_FALSE(computes_the_same("fused (avx2)", "fused (16 lanes)"))
      << "8 lanes had another order of sums";
  EXPECT_TRUE(computes_the_same("torch (AVX2)", "torch (AVX2)\nlibtorch 1.13"))
      << "from before libraries were in it";
  EXPECT_FALSE(computes_the_same("torch (AVX2)\nlibtorch 1.12", "torch (AVX2)\nlibtorch 1.13"));
}

}  // namespace
}  // namespace mnist_dist
