#pragma once
#include <cstdint>

#include "config/config.h"

namespace mnist_dist {

/// The learning rate of every step, a closed form of its index t = 0 .. T - 1, T = epochs *
/// steps_per_epoch.
/// - constant: the peak.
/// - step: peak * step_factor^floor(epoch / step_epochs).
/// - linear, cosine: a linear rise from start_factor at t = 0 to the peak at t = P, then a linear
/// or cosine fall to end_factor at t = T - 1.
/// - one_cycle: rise and fall both along a cosine, as torch.optim.lr_scheduler.OneCycleLR by
/// default (its pct_start is warmup, Smith & Topin 2018). P = warmup * T - 1 as there, not rounded.
/// Without warm-up the fall begins at t = 0. Factors are shares of the peak,
/// optimizer.learning_rate.
class Schedule {
 public:
  Schedule(const Config& config, int steps_per_epoch);
  /// Computed in double, so that a step's rate never depends on the rates before it.
  float rate(std::int64_t step) const;

 private:
  double factor(std::int64_t step) const;
  ScheduleConfig schedule_;
  double peak_;
  int steps_per_epoch_;
  double last_step_, peak_step_;
};

/// Steps of a whole run: of all epochs, or train.max_steps if it is less.
std::int64_t total_steps(const Config& config, int steps_per_epoch);

}  // namespace mnist_dist
