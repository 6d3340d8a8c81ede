#include "report/bench_table.h"

#include <gmock/gmock.h>

namespace mnist_dist {
namespace {

TEST(BenchTable, MediansSharesAndRatios) {
  std::vector<Contender> contenders;
  contenders.push_back({"plain LibTorch loop", 1, nullptr, {100, 200, 50}});
  contenders.push_back({"torch", 1, nullptr, {200, 300, 150}});
  contenders.push_back({"torch", 2, nullptr, {380, 600, 270}});
  // 200 images/s of 10 MFLOP are 2 GFLOP/s. The rounds' ratios to the plain loop are 2, 1.5, 3
  // and 3.8, 3, 5.4. Those to one thread are 1.9, 2, 1.8.
  EXPECT_EQ(bench_table(contenders, &Contender::trained_per_second, 0, {"AVX2", 8}, 10e6, 0),
            "                       threads  images/s   lowest-highest   GFLOP/s  of peak     x "
            "plain  x 1 thread\n"
            "plain LibTorch loop          1       100           50-200       1.0      12%       "
            "1.00x           -\n"
            "torch                        1       200          150-300       2.0      25%       "
            "2.00x           -\n"
            "torch                        2       380          270-600       3.8      24%       "
            "3.80x       1.90x\n");
}

TEST(BenchTable, WithoutAPlainLoopThereIsNothingToCompareWith) {
  std::vector<Contender> contenders;
  contenders.push_back({"torch", 1, nullptr, {200, 300}});
  EXPECT_THAT(bench_table(contenders, &Contender::trained_per_second, -1, {"AVX2", 8}, 10e6, 0),
              testing::HasSubstr("31%           -           -\n"));
}

TEST(BenchTable, AGpuHasNoShareOfACoresPeakAndLongNamesStayAligned) {
  std::vector<Contender> contenders;
  contenders.push_back({"PyTorch 2.11.0+cu130", 1, nullptr, {100}});
  contenders.push_back({.name = "PyTorch 2.11.0+cu130 on GPU",
                        .loop = nullptr,
                        .trained_per_second = {2000},
                        .on_gpu = true});
  EXPECT_EQ(bench_table(contenders, &Contender::trained_per_second, 0, {"AVX2", 8}, 10e6, 0),
            "                             threads  images/s   lowest-highest   GFLOP/s  of peak    "
            " x plain  x 1 thread\n"
            "PyTorch 2.11.0+cu130               1       100          100-100       1.0      12%    "
            "   1.00x           -\n"
            "PyTorch 2.11.0+cu130 on GPU        1      2000        2000-2000      20.0        -    "
            "  20.00x           -\n");
}

}  // namespace
}  // namespace mnist_dist
