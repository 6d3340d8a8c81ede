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

Statistics paired(std::vector<double> differences) { return statistics_of(differences); }

TEST(Tune, ACandidateIsBeatenWhenItIsBehindWith95Percent) {
  const Candidate best = candidate(0, 99.5);
  Candidate c = candidate(1, 99.4);
  EXPECT_FALSE(is_beaten(c, best)) << "no seed in common";
  c.behind = paired({0.1});
  EXPECT_FALSE(is_beaten(c, best)) << "one seed has no spread";
  // Student's t, one-sided: 6.31 standard errors with 2 seeds, 2.35 with 4.
  c.behind = paired({0.05, 0.15});  // mean 0.1, standard error 0.05
  EXPECT_FALSE(is_beaten(c, best));
  c.behind = paired({0.09, 0.11});  // standard error 0.01
  EXPECT_TRUE(is_beaten(c, best));
  c.behind = paired({0.05, 0.15, 0.05, 0.15});  // standard error 0.029
  EXPECT_TRUE(is_beaten(c, best));
  c.behind = paired({0.0, 0.2, 0.0, 0.2});
  EXPECT_FALSE(is_beaten(c, best));
  EXPECT_TRUE(is_beaten(candidate(1, 99.6, 0.1, 1), best)) << "it diverged";
}

TEST(Tune, TheTableNamesEveryCandidateAndItsSettings) {
  Candidate c = candidate(3, 99.4567, 0.02125);
  c.draw = {"step3", {"train.batch=32", "average.decay=0.99"}};
  c.parameters = 9776;
  c.rounds = 2;
  c.seeds = 4;
  c.min = 99.4;
  c.seconds = 61.5;
  const std::string csv = tuning_csv({c});
  EXPECT_EQ(csv.substr(csv.find('\n') + 1),
            "1,3,step3,9776,2,4,0,99.4567,0.0000,99.4000,0.021250,,,,,,,61.500,train.batch=32 "
            "average.decay=0.99\n");
  c.behind = paired({0.01, 0.03});
  c.loss_behind = paired({0.001});
  EXPECT_NE(tuning_csv({c}).find(",0.021250,0.0200,-0.1071,0.1471,0.001000,,,61.500,train"),
            std::string::npos);
}

TEST(Tune, CandidatesWithoutRunsHaveNoScores) {
  Candidate c = candidate(0, 0, 0, 2);
  c.draw.recipe = "step3";
  c.seeds = 2;
  const std::string csv = tuning_csv({c}), row = csv.substr(csv.find('\n') + 1);
  EXPECT_EQ(row, "1,0,step3,0,0,2,2,,,,,,,,,,,0.000,\n");
}

}  // namespace
}  // namespace mnist_dist
