#include "comm/hang_report.h"

#include <gmock/gmock.h>

#include <array>

#include "failures.h"

namespace mnist_dist {
namespace {

const std::vector<Peer> peers{{"one", 11, 0}, {"one", 12, 0}, {"two", 21, 2}, {"two", 22, 2}};
const std::array everybody{0, 1, 2, 3};
const Place step_120 = make_place(1, 240, "all-reduce", "epoch 3 step 120");

std::string report(std::span<const int> members, const std::map<int, Place>& live, double seconds) {
  return failure(ExitCode::device, [&] { throw hang_report(peers, members, live, seconds); })
      .what();
}

TEST(HangReport, NamesTheSilentRank) {
  EXPECT_THAT(report(everybody, {{0, step_120}, {1, step_120}, {3, step_120}}, 120),
              HasAll("rank 2 of 4", "host two", "pid 21", "120 s", "ranks 0, 1, 3 ", "all-reduce",
                     "epoch 3 step 120"));
}

TEST(HangReport, NamesSeveralSilentRanks) {
  EXPECT_THAT(report(everybody, {{0, step_120}, {3, step_120}}, 1.5),
              HasAll("rank 1 of 4", "pid 12", "rank 2 of 4", "pid 21", "1.5 s", "ranks 0, 3 "));
}

TEST(HangReport, AGroupIsNamedByWorldRanks) {
  const std::array group{2, 3};
  EXPECT_THAT(report(group, {{3, step_120}}, 120), HasAll("rank 2 of 4", "pid 21", "rank 3 "));
}

TEST(HangReport, AllRespondFromDifferentCalls) {
  const Place barrier = make_place(1, 240, "barrier", "epoch 3");
  EXPECT_THAT(report(everybody, {{0, step_120}, {1, barrier}, {2, step_120}, {3, step_120}}, 120),
              HasAll("deadlock", "120 s", "ranks 0, 2, 3 ", "all-reduce number 240", "rank 1 ",
                     "barrier number 240 (epoch 3)"));
}

TEST(HangReport, AllRespondFromTheSameCall) {
  EXPECT_THAT(report(everybody, {{0, step_120}, {1, step_120}, {2, step_120}, {3, step_120}}, 120),
              HasAll("lost message", "120 s", "ranks 0, 1, 2, 3 "));
}

TEST(HangReport, CutsLongTexts) {
  const Place place = make_place(1, 1, std::string(200, 'c'), std::string(200, 'a'));
  EXPECT_EQ(std::string(place.call), std::string(sizeof place.call - 1, 'c'));
  EXPECT_EQ(std::string(place.activity), std::string(sizeof place.activity - 1, 'a'));
}

}  // namespace
}  // namespace mnist_dist
