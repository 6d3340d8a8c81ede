#include "sweep/sweep.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace mnist_dist {
namespace {

std::string refusal_of(int ranks, int ranks_per_run, bool ranks_show) {
  try {
    check_groups(ranks, ranks_per_run, ranks_show);
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

TEST(Sweep, AGroupMayBeSmallerOnlyWhereThatShowsInNoBit) {
  for (const bool ranks_show : {false, true}) {
    EXPECT_EQ(refusal_of(4, 2, ranks_show), "");
    EXPECT_THAT(refusal_of(2, 3, ranks_show),
                testing::StartsWith("--ranks-per-run: too large (got 3, expected at most 2)"));
  }
  EXPECT_EQ(refusal_of(3, 2, false), "");
  EXPECT_EQ(refusal_of(5, 3, true),
            "--ranks-per-run: 5 ranks in groups of 3 leave a group of 2, whose seeds would have "
            "different bits on GPUs | start 3 ranks, or give --per-slice --reduce exact");
}

}  // namespace
}  // namespace mnist_dist
