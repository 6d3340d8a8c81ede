#include "train/rate_range.h"

#include <algorithm>
#include <limits>

#include "base/portable_math.h"
#include "data/order.h"
#include "train/run_start.h"

namespace mnist_dist {
namespace {

/// An average of the past that forgets, without its bias towards 0 at the beginning.
class Smoothed {
 public:
  double next(double value) {
    constexpr double keep = 0.9;
    sum_ = keep * sum_ + (1 - keep) * value;
    weight_ = keep * weight_ + (1 - keep);
    return sum_ / weight_;
  }

 private:
  double sum_ = 0, weight_ = 0;
};

}  // namespace

std::vector<RatePoint> rate_range(Reducer& sums, Engine& engine, const Config& config,
                                  const LocalData& data, double low, double high, int steps) {
  constexpr double too_high = 4;  // times the minimum
  const int shards = config.data.shards, slice = config.train.batch / shards;
  const int all = steps_per_epoch(data.training_rows, shards, slice);
  const int count = std::min(steps, all);
  std::vector<float> rates(static_cast<std::size_t>(all));
  for (int i = 0; i < all; ++i)
    rates[static_cast<std::size_t>(i)] = static_cast<float>(
        low * portable::power(high / low, std::min(1.0, i / std::max(1.0, count - 1.0))));
  const auto orders = epoch_orders(data, config.train.seed, 0);
  engine.set_training_data(data.training, data.first_shard);
  engine.load(fresh_start(config).state);
  engine.begin_epoch({.epoch = 0,
                      .orders = orders,
                      .learning_rates = rates,
                      .before = {},
                      .whole_steps = data.training_rows / shards / slice});
  const Reduce reduce = [&](const ShardVectors& vectors, std::span<float> total,
                            const Queue& queue) {
    sums.tree_all_reduce(vectors, shards, total, queue);
  };

  std::vector<RatePoint> points;
  Smoothed smoothed;
  Sums before;
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < count; ++step) {
    engine.step(step, false, reduce);
    const StepReport report = engine.report(true);
    if (report.non_finite_at) break;
    const auto images = static_cast<double>(report.sums.images - before.images);
    const double loss = smoothed.next((report.sums.loss - before.loss) / images);
    before = report.sums;
    points.push_back({static_cast<double>(rates[static_cast<std::size_t>(step)]), loss});
    least = std::min(least, loss);
    if (loss > too_high * least) break;
  }
  return points;
}

std::optional<double> suggested_rate(const std::vector<RatePoint>& points, bool has_warmup) {
  constexpr double least_fall = 0.1;
  const auto least = std::ranges::min_element(points, {}, &RatePoint::loss);
  const bool rises_again = least != points.end() && least + 1 != points.end();
  if (!rises_again || least->loss > (1 - least_fall) * points.front().loss) return std::nullopt;
  return least->rate / (has_warmup ? 4 : 10);
}

}  // namespace mnist_dist
