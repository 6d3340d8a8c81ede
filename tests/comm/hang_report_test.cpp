#include "comm/hang_report.h"

#include <gmock/gmock.h>

#include <array>

#include "base/error_text.h"

namespace mnist_dist {
namespace {

using testing::StartsWith;

const std::vector<Peer> peers{{"one", 11, 0}, {"one", 12, 0}, {"two", 21, 2}, {"two", 22, 2}};
const std::array everybody{0, 1, 2, 3};
const Place step_120 = make_place(1, 240, "all-reduce", "epoch 3 step 120");

std::string report(std::span<const int> members, const std::map<int, Place>& live, double seconds) {
  return error_text(hang_report(peers, members, live, seconds));
}

TEST(HangReport, NamesTheSilentRank) {
  EXPECT_THAT(report(everybody, {{0, step_120}, {1, step_120}, {3, step_120}}, 120),
              StartsWith("error: rank 2 of 4 (host two, pid 21) has not answered for 120 s, ranks "
                         "0, 1, 3 wait in all-reduce (epoch 3 step 120)\nhint: "));
}

TEST(HangReport, NamesSeveralSilentRanks) {
  EXPECT_THAT(
      report(everybody, {{0, step_120}, {3, step_120}}, 1.5),
      StartsWith("error: rank 1 of 4 (host one, pid 12), rank 2 of 4 (host two, pid 21) have not "
                 "answered for 1.5 s, ranks 0, 3 wait in all-reduce (epoch 3 step 120)\n"));
}

TEST(HangReport, AGroupIsNamedByWorldRanks) {
  const std::array group{2, 3};
  EXPECT_THAT(report(group, {{3, step_120}}, 120),
              StartsWith("error: rank 2 of 4 (host two, pid 21) has not answered for 120 s, rank 3 "
                         "waits in all-reduce (epoch 3 step 120)\n"));
}

TEST(HangReport, AllAnswerFromDifferentCalls) {
  const Place barrier = make_place(1, 240, "barrier", "epoch 3");
  EXPECT_THAT(report(everybody, {{0, step_120}, {1, barrier}, {2, step_120}, {3, step_120}}, 120),
              StartsWith("error: ranks have been waiting in different calls for 120 s (deadlock), "
                         "ranks 0, 2, 3 wait in all-reduce number 240 (epoch 3 step 120), rank 1 "
                         "waits in barrier number 240 (epoch 3)\nhint: report this defect"));
}

TEST(HangReport, AllAnswerFromTheSameCall) {
  EXPECT_THAT(
      report(everybody, {{0, step_120}, {1, step_120}, {2, step_120}, {3, step_120}}, 120),
      StartsWith("error: all ranks answer, but no data arrived for 120 s (lost message), "));
}

TEST(HangReport, CutsLongTexts) {
  const Place place = make_place(1, 1, std::string(200, 'c'), std::string(200, 'a'));
  EXPECT_EQ(std::string(place.call), std::string(sizeof place.call - 1, 'c'));
  EXPECT_EQ(std::string(place.activity), std::string(sizeof place.activity - 1, 'a'));
}

}  // namespace
}  // namespace mnist_dist
