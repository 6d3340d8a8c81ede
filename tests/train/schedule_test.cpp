#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace mnist_dist {
namespace {

constexpr int epochs = 10, steps_per_epoch = 100, steps = epochs * steps_per_epoch;

Config with(ScheduleConfig schedule) {
  Config config;
  config.train.epochs = epochs;
  config.optimizer.learning_rate = 0.4;
  config.schedule = schedule;
  return config;
}
Schedule make(ScheduleConfig schedule) { return {with(schedule), steps_per_epoch}; }

TEST(Schedule, ConstantStays) {
  const Schedule schedule = make({.kind = ScheduleKind::constant, .warmup = 0.5});
  for (int t = 0; t < steps; ++t) EXPECT_EQ(schedule.rate(t), 0.4f);
}

TEST(Schedule, StepFallsAtEpochs) {
  const Schedule schedule =
      make({.kind = ScheduleKind::step, .step_epochs = 3, .step_factor = 0.1});
  EXPECT_EQ(schedule.rate(0), 0.4f);
  EXPECT_EQ(schedule.rate(299), 0.4f);
  EXPECT_FLOAT_EQ(schedule.rate(300), 0.04f);
  EXPECT_FLOAT_EQ(schedule.rate(599), 0.04f);
  EXPECT_FLOAT_EQ(schedule.rate(600), 0.004f);
  EXPECT_FLOAT_EQ(schedule.rate(999), 0.0004f);
}

TEST(Schedule, LinearRisesAndFallsAlongLines) {
  const Schedule schedule = make({.kind = ScheduleKind::linear,
                                  .warmup = 0.101,
                                  .start_factor = 0.1,
                                  .end_factor = 0.25});  // peak at step 100
  EXPECT_FLOAT_EQ(schedule.rate(0), 0.04f);
  EXPECT_FLOAT_EQ(schedule.rate(50), 0.22f);
  EXPECT_FLOAT_EQ(schedule.rate(100), 0.4f);
  EXPECT_FLOAT_EQ(schedule.rate(999), 0.1f);
  for (int t = 100; t < steps; ++t)
    EXPECT_FLOAT_EQ(schedule.rate(t), static_cast<float>(0.4 - 0.3 * (t - 100) / 899.0)) << t;
}

TEST(Schedule, CosineRisesAlongALineAndFallsAlongACosine) {
  const Schedule schedule =
      make({.kind = ScheduleKind::cosine, .warmup = 0.101, .end_factor = 0.01});
  EXPECT_EQ(schedule.rate(0), 0.0f);
  EXPECT_FLOAT_EQ(schedule.rate(25), 0.1f);
  for (int t = 100; t < steps; ++t) {
    const double expected =
        0.004 + (0.4 - 0.004) * 0.5 * (1 + std::cos(std::numbers::pi * (t - 100) / 899.0));
    EXPECT_FLOAT_EQ(schedule.rate(t), static_cast<float>(expected)) << t;
  }
}

TEST(Schedule, WithoutWarmUpTheFallBeginsAtOnce) {
  const Schedule schedule = make({.kind = ScheduleKind::cosine});
  EXPECT_EQ(schedule.rate(0), 0.4f);
  EXPECT_NEAR(schedule.rate(999), 0, 1e-9);
  EXPECT_GT(schedule.rate(998), schedule.rate(999));
}

/// torch.optim.lr_scheduler.OneCycleLR.get_lr with anneal_strategy="cos", three_phase=False, in its
/// own words.
double torch_one_cycle(double t, double max_lr, double pct_start, double div_factor,
                       double final_div_factor) {
  const double initial = max_lr / div_factor, lowest = initial / final_div_factor;
  const auto anneal = [](double start, double end, double pct) {
    return end + (start - end) / 2.0 * (std::cos(std::numbers::pi * pct) + 1);
  };
  const double first_end = pct_start * steps - 1, second_end = steps - 1;
  if (t <= first_end) return anneal(initial, max_lr, t / first_end);
  return anneal(max_lr, lowest, (t - first_end) / (second_end - first_end));
}

TEST(Schedule, OneCycleIsTorchs) {
  for (const double warmup : {0.3, 0.2345}) {
    const Schedule schedule = make({.kind = ScheduleKind::one_cycle,
                                    .warmup = warmup,
                                    .start_factor = 1 / 25.0,
                                    .end_factor = 1 / 25.0 / 1e4});
    for (int t = 0; t < steps; ++t)
      EXPECT_FLOAT_EQ(schedule.rate(t),
                      static_cast<float>(torch_one_cycle(t, 0.4, warmup, 25, 1e4)))
          << t;
  }
}

TEST(Schedule, ShortestRunsHaveARate) {
  for (const ScheduleKind kind :
       {ScheduleKind::linear, ScheduleKind::cosine, ScheduleKind::one_cycle})
    for (const double warmup : {0.0, 0.5, 1.0}) {
      Config config = with({.kind = kind, .warmup = warmup});
      config.train.epochs = 1;
      EXPECT_EQ(Schedule(config, 1).rate(0), 0.4f);
      for (int t = 0; t < 2; ++t) EXPECT_TRUE(std::isfinite(Schedule(config, 2).rate(t)));
    }
}

}  // namespace
}  // namespace mnist_dist
