#include "sweep/verdict.h"

#include <gtest/gtest.h>

#include "sweep/records.h"

namespace mnist_dist {
namespace {

TEST(Verdict, PassesOnlyWhenEverySeedReachedTheTarget) {
  EXPECT_EQ(verdict_of(sweep_record({9940, 9951})).answer, Verdict::Answer::pass);
  EXPECT_EQ(verdict_of(sweep_record({9939, 9951})).answer, Verdict::Answer::fail);
}

TEST(Verdict, ADivergedSeedIsAFailureAndIsCounted) {
  const SweepRecord record = sweep_record({9950, -1, 9960});
  const Verdict v = verdict_of(record);
  EXPECT_EQ(v.answer, Verdict::Answer::fail);
  EXPECT_EQ(v.diverged, 1);
  EXPECT_EQ(v.reached, 2);
  EXPECT_EQ(v.final.n, 2) << "it has no accuracy";
  EXPECT_NEAR(v.reached_lower_bound, success_lower_bound(2, 3), 1e-15);
}

TEST(Verdict, AStartIsJudgedByItsOwnSeeds) {
  SweepRecord record = sweep_record({9950, 9951, 9939, -1});
  record.identity.seeds = "0..9";
  EXPECT_TRUE(all_reached(record, {1, 0}));
  EXPECT_FALSE(all_reached(record, {0, 4})) << "no row";
  EXPECT_FALSE(all_reached(record, {0, 2})) << "missed";
  EXPECT_FALSE(all_reached(record, {0, 3})) << "diverged";
}

TEST(Verdict, MissingSeedsLeaveItOpenUnlessOneFailed) {
  SweepRecord record = sweep_record({9950, 9951});
  record.identity.seeds = "0..9";
  EXPECT_EQ(verdict_of(record).answer, Verdict::Answer::incomplete);
  EXPECT_EQ(verdict_of(record).missing, 8);
  record.outcomes[0].final_correct = 9000;
  EXPECT_EQ(verdict_of(record).answer, Verdict::Answer::fail);
}

TEST(Verdict, SeedsThatWereNotRequestedAreNotCounted) {
  SweepRecord record = sweep_record({1000, 9951, 9952});
  record.identity.seeds = "1..2";
  const Verdict v = verdict_of(record);
  EXPECT_EQ(v.answer, Verdict::Answer::pass);
  EXPECT_EQ(v.others, 1);
  EXPECT_EQ(v.final.n, 2);
}

}  // namespace
}  // namespace mnist_dist
