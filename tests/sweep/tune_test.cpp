#include "sweep/tune.h"

#include <gtest/gtest.h>

#include <limits>

namespace mnist_dist {
namespace {

Candidate candidate(int index, double mean, double loss = 0.1, int diverged = 0) {
  Candidate c;
  c.index = index;
  c.mean = mean;
  c.loss = loss;
  c.diverged = diverged;
  return c;
}

TEST(Tune, BetterMeansNoDivergenceThenAccuracyThenLoss) {
  EXPECT_TRUE(better(candidate(1, 99.5), candidate(0, 99.4)));
  EXPECT_TRUE(better(candidate(1, 99.4, 0.02), candidate(0, 99.4, 0.03)));
  EXPECT_TRUE(better(candidate(0, 99.4), candidate(1, 99.4)));
  EXPECT_FALSE(better(candidate(1, 99.4), candidate(0, 99.4)));
  EXPECT_TRUE(better(candidate(1, 98), candidate(0, 99.9, 0.1, 1)))
      << "a recipe that may diverge is worth nothing";
}

TEST(Tune, ALossThatIsNoNumberIsTheWorst) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(better(candidate(1, 10, 0.5), candidate(0, 10, nan)));
  EXPECT_FALSE(better(candidate(0, 10, nan), candidate(1, 10, 0.5)));
  EXPECT_TRUE(better(candidate(0, 10, nan), candidate(1, 10, nan)));
  EXPECT_FALSE(better(candidate(1, 10, nan), candidate(0, 10, nan)));
}

TEST(Tune, TheTableNamesEveryCandidateAndItsSettings) {
  Candidate c = candidate(3, 99.4567, 0.02125);
  c.draw = {"step3", {"train.batch=32", "average.decay=0.99"}};
  c.parameters = 9776;
  c.rounds = 2;
  c.seeds = 4;
  c.min = 99.4;
  const std::string csv = tuning_csv({c});
  EXPECT_EQ(
      csv.substr(csv.find('\n') + 1),
      "1,3,step3,9776,2,4,0,99.4567,0.0000,99.4000,0.021250,train.batch=32 average.decay=0.99\n");
}

TEST(Tune, WhatWasNotMeasuredHasNoScores) {
  Candidate c = candidate(0, 0, 0, 2);
  c.draw.recipe = "step3";
  c.seeds = 2;
  const std::string csv = tuning_csv({c}), row = csv.substr(csv.find('\n') + 1);
  EXPECT_EQ(row, "1,0,step3,0,0,2,2,,,,,\n");
}

}  // namespace
}  // namespace mnist_dist
