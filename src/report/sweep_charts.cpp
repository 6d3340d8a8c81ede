#include "report/sweep_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/plural.h"
#include "data/data_name.h"
#include "report/chart.h"

namespace mnist_dist {
namespace {

using Points = std::vector<std::pair<double, double>>;

std::vector<const SeedOutcome*> trained_by_accuracy(const Verdict& v) {
  std::vector<const SeedOutcome*> trained;
  for (const SeedOutcome* outcome : v.counted)
    if (!outcome->diverged) trained.push_back(outcome);
  std::stable_sort(trained.begin(), trained.end(),
                   [](auto* a, auto* b) { return a->final_correct < b->final_correct; });
  return trained;
}

std::string accuracy_label(const SweepRecord& record) {
  const SweepIdentity& id = record.identity;
  const std::string data = data_name(id.data);
  return fmt::format("final {} accuracy, %{}", id.scored(),
                     data == "MNIST" ? "" : fmt::format(" ({})", data.substr(0, data.find(','))));
}
std::string target_label(const SweepRecord& record) {
  return fmt::format("target {} %", record.identity.target);
}

/// Where the y axis of curves begins: early epochs would press everything that matters to the top
/// edge.
double lowest_that_matters(const std::vector<Points>& curves, double also) {
  double low = also;
  for (const Points& curve : curves)
    for (const auto& [epoch, accuracy] : curve)
      if (epoch > curve.back().first / 3) low = std::min(low, accuracy);
  return low;
}

double highest(const std::vector<Points>& curves, double also) {
  double high = also;
  for (const Points& curve : curves)
    for (const auto& [epoch, accuracy] : curve) high = std::max(high, accuracy);
  return high;
}

/// Decimals that an axis from low to high needs.
int decimals_for(double low, double high) { return high - low > 6 ? 0 : high - low > 0.6 ? 1 : 2; }

Chart::Axis accuracy_axis(double low, double high) {
  const double margin = 0.05 * std::max(high - low, 0.02);
  return {low - margin, std::min(high + margin, 100.0 + margin), "", decimals_for(low, high)};
}

/// The delivered weights' accuracy by epoch.
Points points_of(const SeedOutcome& outcome) {
  Points points;
  for (const EpochRow& row : outcome.epochs)
    if (row.delivered()) points.emplace_back(row.epoch, row.delivered()->accuracy);
  return points;
}

}  // namespace

std::string histogram_svg(const SweepRecord& record, const Verdict& v, bool standalone) {
  const auto trained = trained_by_accuracy(v);
  if (trained.empty()) return "";
  constexpr std::int64_t most_bars = 30;
  const std::int64_t low = std::min(trained.front()->final_correct, v.required_correct),
                     high = std::max(trained.back()->final_correct, v.required_correct);
  const std::int64_t width =
      (high - low) / most_bars +
      1;  // in images, so that no bar mixes those that reached the target with others
  const std::int64_t first =
      v.required_correct - (v.required_correct - low + width - 1) / width * width;
  std::map<std::int64_t, int> bars;
  int tallest = 1;
  for (const SeedOutcome* outcome : trained)
    tallest = std::max(tallest, ++bars[(outcome->final_correct - first) / width]);
  const auto percent = [&](std::int64_t correct) {
    return 100.0 * static_cast<double>(correct) / static_cast<double>(v.images);
  };
  const double from = percent(first - 1), to = percent(high + width + 1);
  Chart chart(fmt::format("{} seed{} of {}", trained.size(), plural(trained.size()),
                          record.identity.recipe),
              {from, to, accuracy_label(record), decimals_for(from, to)},
              {0, tallest * 1.15, "", 0});
  for (const auto& [index, count] : bars) {
    const std::int64_t begin = first + index * width;
    chart.bar(
        percent(begin), percent(begin + width), count,
        begin >= v.required_correct ? color::good : color::bad,
        fmt::format("{} seed{}: {}..{} correct", count, plural(count), begin, begin + width - 1));
  }
  chart.vertical(percent(v.required_correct), target_label(record), color::target);
  return chart.svg(standalone);
}

std::string curves_svg(const SweepRecord& record, const Verdict& v) {
  std::vector<Points> curves;
  std::map<double, std::vector<double>> by_epoch;
  for (const SeedOutcome* outcome : v.counted) {
    Points curve = points_of(*outcome);
    if (curve.empty()) continue;
    for (const auto& [epoch, accuracy] : curve) by_epoch[epoch].push_back(accuracy);
    curves.push_back(std::move(curve));
  }
  if (curves.empty()) return "";
  const double target = Target(record.identity.target).percent();
  Chart::Axis y = accuracy_axis(lowest_that_matters(curves, target), highest(curves, target));
  Chart chart(fmt::format("{} accuracy by epoch, %", record.identity.scored()),
              {1, by_epoch.rbegin()->first, "epoch", 0}, y);
  Points low, middle, high;
  for (const auto& [epoch, values] : by_epoch) {
    const Statistics s = statistics_of(values);
    low.emplace_back(epoch, s.min);
    middle.emplace_back(epoch, s.p50);
    high.emplace_back(epoch, s.max);
  }
  chart.band(low, high, color::good);
  for (const Points& curve : curves)
    chart.line(curve, color::grey, 0.7,
               std::clamp(8.0 / static_cast<double>(curves.size()), 0.12, 0.6));
  chart.line(low, color::good, 1, 0.9, true);
  chart.line(high, color::good, 1, 0.9, true);
  chart.line(middle, color::good, 2);
  chart.horizontal(target, target_label(record), color::target);
  return chart.svg();
}

std::string dots_svg(const SweepRecord& record, const Verdict& v) {
  const auto trained = trained_by_accuracy(v);
  if (trained.empty()) return "";
  const Target target(record.identity.target);
  Chart chart(accuracy_label(record),
              {0, static_cast<double>(trained.size()) + 1, "seeds, from the worst to the best", 0},
              accuracy_axis(std::min(v.final.min, target.percent()),
                            std::max(v.final.max, target.percent())));
  chart.horizontal(target.percent(), target_label(record), color::target);
  for (std::size_t i = 0; i < trained.size(); ++i)
    chart.dot(static_cast<double>(i) + 1, accuracy_of(*trained[i]),
              reaches(*trained[i], target) ? color::good : color::bad,
              fmt::format("seed {}: {:.2f} %", trained[i]->seed, accuracy_of(*trained[i])));
  return chart.svg();
}

}  // namespace mnist_dist
