#include "train/schedule.h"

#include <algorithm>
#include <numbers>

#include "base/portable_math.h"

namespace mnist_dist {
namespace {

double along_line(double from, double to, double share) { return from + (to - from) * share; }
double along_cosine(double from, double to, double share) {
  return to + (from - to) * (1 + portable::cosine(std::numbers::pi * share)) / 2;
}

}  // namespace

Schedule::Schedule(const Config& config, int steps_per_epoch)
    : schedule_(config.schedule),
      peak_(config.optimizer.learning_rate),
      steps_per_epoch_(steps_per_epoch),
      last_step_(static_cast<double>(config.train.epochs) * steps_per_epoch - 1),
      peak_step_(std::max(0.0, config.schedule.warmup * (last_step_ + 1) - 1)) {}

float Schedule::rate(std::int64_t step) const { return static_cast<float>(peak_ * factor(step)); }

double Schedule::factor(std::int64_t step) const {
  const ScheduleKind kind = schedule_.kind;
  if (kind == ScheduleKind::constant) return 1;
  if (kind == ScheduleKind::step) {
    const auto epoch = step / steps_per_epoch_;
    return portable::power(schedule_.step_factor,
                           static_cast<double>(epoch / schedule_.step_epochs));
  }
  const auto t = static_cast<double>(step);
  if (t < peak_step_) {
    const auto rise = kind == ScheduleKind::one_cycle ? along_cosine : along_line;
    return rise(schedule_.start_factor, 1, t / peak_step_);
  }
  if (last_step_ <= peak_step_) return 1;
  const auto fall = kind == ScheduleKind::linear ? along_line : along_cosine;
  return fall(1, schedule_.end_factor, (t - peak_step_) / (last_step_ - peak_step_));
}

std::int64_t total_steps(const Config& config, int steps_per_epoch) {
  const std::int64_t all = std::int64_t{config.train.epochs} * steps_per_epoch;
  return config.train.max_steps > 0 ? std::min(all, config.train.max_steps) : all;
}

}  // namespace mnist_dist
