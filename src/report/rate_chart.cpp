#include "report/rate_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart.h"

namespace mnist_dist {
namespace {

/// Values far above the first loss are not drawn, because they would flatten the rest.
double highest(const std::vector<RatePoint>& points) {
  const double most = std::ranges::max_element(points, {}, &RatePoint::loss)->loss;
  return std::min(most, 1.2 * points.front().loss);
}

}  // namespace

std::string rate_svg(const std::string& title, const std::vector<RatePoint>& points,
                     std::optional<double> suggested) {
  Chart chart(title,
              {std::log10(points.front().rate), std::log10(points.back().rate),
               "learning rate, power of ten", 1},
              {0, highest(points), "training loss", 1});
  std::vector<std::pair<double, double>> curve;
  for (const RatePoint& point : points) curve.emplace_back(std::log10(point.rate), point.loss);
  chart.line(curve, color::good, 2);
  if (suggested)
    chart.vertical(std::log10(*suggested), fmt::format("{:.2g}", *suggested), color::target);
  return chart.svg(true);
}

std::string rate_text(const std::vector<RatePoint>& points, int columns) {
  constexpr int rows = 12, margin = 9;
  const int width = std::max(10, columns - margin);
  const double top = highest(points);
  std::vector<std::string> lines(rows, std::string(static_cast<std::size_t>(width), ' '));
  for (int x = 0; x < width; ++x) {
    const std::size_t index =
        static_cast<std::size_t>(x) * (points.size() - 1) / static_cast<std::size_t>(width - 1);
    const double share = std::clamp(points[index].loss / top, 0.0, 1.0);
    const auto y = static_cast<std::size_t>(std::lround((1 - share) * (rows - 1)));
    lines[y][static_cast<std::size_t>(x)] = '*';
  }
  std::string out;
  for (int y = 0; y < rows; ++y) {
    const double loss = top * (rows - 1 - y) / (rows - 1);
    out += fmt::format("{:>7.2f} |{}\n", loss, lines[static_cast<std::size_t>(y)]);
  }
  const std::string low = fmt::format("{:.2g}", points.front().rate);
  const std::string axis(static_cast<std::size_t>(width), '-');
  out +=
      fmt::format("{:>8}+{}\n{:>9}{}{:>{}}\n", "", axis, "", low,
                  fmt::format("{:.2g}", points.back().rate), width - static_cast<int>(low.size()));
  return out;
}

}  // namespace mnist_dist
