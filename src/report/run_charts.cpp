#include "report/run_charts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "report/chart.h"

namespace mnist_dist {
namespace {

/// Colours that differ for colour-blind readers, too.
constexpr std::array<std::string_view, 5> series{color::good, color::target, color::bad,
                                                 color::grey, "#0d9488"};

/// Decimals with which an axis' marks differ.
int decimals_for(double low, double high) {
  constexpr int marks = 5, most = 6;
  return std::clamp(static_cast<int>(std::ceil(-std::log10(round_step(low, high, marks)) - 1e-9)),
                    0, most);
}

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
  std::string_view color;
  bool dashed = false;
};

/// The first third of the epochs would press everything that matters to an edge: it may lie
/// outside.
std::string drawing(const std::string& title, const std::vector<Series>& all, bool from_zero) {
  double low = 0, high = 0, first = 0, last = 0;
  bool any = false;
  for (const Series& one : all)
    for (const auto& [epoch, value] : one.points) {
      const double end = one.points.back().first;
      if (!std::isfinite(value) || (!from_zero && end > 3 && epoch <= end / 3)) continue;
      low = any ? std::min(low, value) : value;
      high = any ? std::max(high, value) : value;
      any = true;
    }
  if (!any) return "";
  std::vector<Chart::LegendEntry> legend;
  for (const Series& one : all) {
    if (one.points.empty()) continue;
    first = legend.empty() ? one.points.front().first : std::min(first, one.points.front().first);
    last = std::max(last, one.points.back().first);
    legend.push_back({one.name, one.color, one.dashed});
  }
  // One value alone, such as a single epoch's, gets an axis with distinct marks.
  const double range = high > low ? high - low : std::max(std::abs(high), 0.1);
  const double margin = 0.06 * std::max(range, std::abs(high) * 1e-3);
  if (from_zero) low = std::min(low, 0.0);
  const Chart::Axis y{from_zero ? low : low - margin, high + margin, "",
                      decimals_for(low - margin, high + margin)};
  Chart chart(title, {first, last, "epoch", 0}, y, legend);
  for (const Series& one : all) {
    std::vector<std::pair<double, double>> finite;
    for (const auto& point : one.points)
      if (std::isfinite(point.second)) finite.push_back(point);
    if (!finite.empty()) chart.line(finite, one.color, one.dashed ? 1.2 : 2, 1, one.dashed);
  }
  return chart.svg();
}

void mark_as_not_averaged(Series& raw) {
  raw.name += ", not averaged";
  raw.color = color::grey;
}

}  // namespace

std::string accuracy_svg(const RunRecord& run) {
  Series training{"training", {}, color::target, true}, raw{run.summary.scored(), {}, color::good},
      averaged{std::string(run.summary.scored()) + ", averaged (delivered)", {}, color::good};
  for (const EpochRow& row : run.epochs) {
    training.points.emplace_back(row.epoch, row.train.accuracy);
    if (row.test) raw.points.emplace_back(row.epoch, row.test->accuracy);
    if (row.averaged_test) averaged.points.emplace_back(row.epoch, row.averaged_test->accuracy);
  }
  if (!averaged.points.empty()) mark_as_not_averaged(raw);
  return drawing("accuracy by epoch, %", {training, raw, averaged}, false);
}

std::string loss_svg(const RunRecord& run) {
  Series training{"training", {}, color::target, true}, raw{run.summary.scored(), {}, color::good};
  for (const EpochRow& row : run.epochs) {
    training.points.emplace_back(row.epoch, row.train.loss);
    if (row.test) raw.points.emplace_back(row.epoch, row.test->loss);
  }
  if (std::ranges::any_of(run.epochs, [](const EpochRow& row) { return bool(row.averaged_test); }))
    mark_as_not_averaged(raw);
  return drawing("loss by epoch", {training, raw}, false);
}

std::string rate_svg(const RunRecord& run) {
  Series rates{"learning rate", {}, color::good};
  for (const EpochRow& row : run.epochs) rates.points.emplace_back(row.epoch, row.learning_rate);
  return drawing("learning rate at each epoch's end", {rates}, true);
}

std::string overlaid_svg(const std::string& title, std::span<const NamedCurve> curves) {
  std::vector<Series> all;
  for (std::size_t i = 0; i < curves.size(); ++i)
    all.push_back(
        {curves[i].name, curves[i].points, series[i % series.size()], i >= series.size()});
  return drawing(title, all, false);
}

}  // namespace mnist_dist
