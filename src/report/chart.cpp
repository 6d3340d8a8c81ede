#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/printable.h"

namespace mnist_dist {
namespace {

constexpr double width = 420, height = 220, left = 46, right = 12, bottom = 36;
constexpr double top_with_title = 22, top_with_legend = 38;
/// Keeps text readable on top of a curve.
const char* const halo = R"(stroke="#fff" stroke-width="3" paint-order="stroke")";

/// Positions of an axis' marks. None at "-0".
std::vector<double> marks(double low, double high, int about, int decimals) {
  const double step = round_step(low, high, about, decimals);
  std::vector<double> at;
  for (double i = std::ceil(low / step - 1e-6); i * step <= high + step * 1e-6; ++i)
    at.push_back(i == 0 ? 0 : i * step);
  return at;
}

std::string mark_text(double value, int decimals) {
  constexpr double long_number = 1e6;
  return std::abs(value) < long_number ? fmt::format("{:.{}f}", value, decimals)
                                       : fmt::format("{:.2g}", value);
}

}  // namespace

Chart::Chart(const std::string& title, Axis x, Axis y, std::vector<LegendEntry> legend)
    : title_(title),
      x_(std::move(x)),
      y_(std::move(y)),
      legend_(std::move(legend)),
      top_(legend_.empty() ? top_with_title : top_with_legend) {
  for (Axis* axis : {&x_, &y_}) {
    if (axis->high > axis->low) continue;
    axis->low -= 0.5;
    axis->high = axis->low + 1;
  }
}

double Chart::px(double x) const {
  return left + (x - x_.low) / (x_.high - x_.low) * (width - left - right);
}
double Chart::py(double y) const {
  return height - bottom - (y - y_.low) / (y_.high - y_.low) * (height - top_ - bottom);
}

std::string Chart::path(const std::vector<std::pair<double, double>>& points, bool begin) const {
  std::string d;
  for (const auto& [x, y] : points) {
    d += fmt::format("{}{:.1f} {:.1f}", begin ? "M" : "L", px(x), py(y));
    begin = false;
  }
  return d;
}

void Chart::line(const std::vector<std::pair<double, double>>& points, std::string_view color,
                 double stroke, double opacity, bool dashed) {
  if (points.size() == 1) {
    dot(points[0].first, points[0].second, color, fmt::format("{:.4g}", points[0].second));
    return;
  }
  inside_ += fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\"{}/>\n",
      path(points, true), color, stroke, opacity, dashed ? " stroke-dasharray=\"4 3\"" : "");
}

void Chart::band(const std::vector<std::pair<double, double>>& low,
                 const std::vector<std::pair<double, double>>& high, std::string_view color) {
  const std::vector<std::pair<double, double>> back(high.rbegin(), high.rend());
  inside_ += fmt::format("<path d=\"{}{}Z\" fill=\"{}\" fill-opacity=\"0.12\"/>\n", path(low, true),
                         path(back, false), color);
}

void Chart::bar(double from, double to, double value, std::string_view color,
                const std::string& tip) {
  inside_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "fill=\"{}\"><title>{}</title></rect>\n",
      px(from) + 0.5, py(value), std::max(px(to) - px(from) - 1, 1.0), py(y_.low) - py(value),
      color, html_text(tip));
}

void Chart::dot(double x, double y, std::string_view color, const std::string& tip) {
  inside_ += fmt::format(
      "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\" fill=\"{}\"><title>{}</title></circle>\n",
      px(x), py(y), color, html_text(tip));
}

void Chart::vertical(double x, const std::string& label, std::string_view color) {
  inside_ += fmt::format(
      "<path d=\"M{0:.1f} {1}V{2}\" stroke=\"{3}\" stroke-width=\"1.5\" stroke-dasharray=\"5 "
      "3\"/>\n",
      px(x), top_, height - bottom, color);
  const bool on_right = px(x) < width * 0.7;
  labels_ +=
      fmt::format("<text x=\"{:.1f}\" y=\"{}\" fill=\"{}\" text-anchor=\"{}\" {}>{}</text>\n",
                  px(x) + (on_right ? 4 : -4), top_ + 10, color, on_right ? "start" : "end", halo,
                  html_text(label));
}

void Chart::horizontal(double y, const std::string& label, std::string_view color) {
  inside_ += fmt::format(
      "<path d=\"M{0} {1:.1f}H{2}\" stroke=\"{3}\" stroke-width=\"1.5\" stroke-dasharray=\"5 "
      "3\"/>\n",
      left, py(y), width - right, color);
  const bool fits_below = py(y) + 16 < height - bottom;
  labels_ +=
      fmt::format("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\" text-anchor=\"end\" {}>{}</text>\n",
                  width - right, py(y) + (fits_below ? 12 : -4), color, halo, html_text(label));
}

std::string Chart::svg(bool standalone) const {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\" font-family=\"system-ui, sans-serif\" "
      "font-size=\"11\">\n",
      width, height, html_text(title_));
  if (standalone)
    out += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>\n", width, height);
  // Clip paths of several drawings in one page must not share a name. The same box may.
  out += fmt::format(
      "<clipPath id=\"box\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
      left, top_, width - left - right, height - top_ - bottom);
  out += fmt::format("<text x=\"{}\" y=\"13\" font-weight=\"600\" fill=\"#111827\">{}</text>\n",
                     left, html_text(title_));
  double at = left;
  for (const LegendEntry& entry : legend_) {
    constexpr double sample = 16, letter = 5.9;
    out += fmt::format(
        "<path d=\"M{0:.0f} 25h{1}\" stroke=\"{2}\" stroke-width=\"2\"{3}/>"
        "<text x=\"{4:.0f}\" y=\"29\" fill=\"#4b5563\">{5}</text>\n",
        at, sample, entry.color, entry.dashed ? " stroke-dasharray=\"4 3\"" : "", at + sample + 4,
        html_text(entry.name));
    at += sample + 12 + letter * static_cast<double>(entry.name.size());
  }
  for (const double y : marks(y_.low, y_.high, 5, y_.decimals))
    out += fmt::format(
        "<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#e5e7eb\"/><text x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\" fill=\"#4b5563\">{5}</text>\n",
        left, py(y), width - right, left - 5, py(y) + 4, mark_text(y, y_.decimals));
  // At most as many labels as fit side by side.
  constexpr double letter = 7;
  const double label = letter * (2 + static_cast<double>(mark_text(x_.high, x_.decimals).size()));
  const int about = std::clamp(static_cast<int>((width - left - right) / label), 1, 6);
  for (const double x : marks(x_.low, x_.high, about, x_.decimals))
    out += fmt::format(
        "<path d=\"M{0:.1f} {1}v4\" stroke=\"#9ca3af\"/><text x=\"{0:.1f}\" y=\"{2}\" "
        "text-anchor=\"middle\" fill=\"#4b5563\">{3}</text>\n",
        px(x), height - bottom, height - bottom + 15, mark_text(x, x_.decimals));
  out += fmt::format(
      "<path d=\"M{} {}H{}\" stroke=\"#9ca3af\"/>\n<g clip-path=\"url(#box)\">\n{}</g>\n{}", left,
      height - bottom, width - right, inside_, labels_);
  out +=
      fmt::format("<text x=\"{:.0f}\" y=\"{}\" text-anchor=\"middle\" fill=\"#4b5563\">{}</text>\n",
                  (left + width - right) / 2, height - 5, html_text(x_.label));
  return out + "</svg>\n";
}

double round_step(double low, double high, int steps, int decimals) {
  const double raw = std::max((high - low) / steps, std::pow(10, -decimals));
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double times : {1.0, 2.0, 5.0})
    if (times * power >= raw * 0.999) return times * power;
  return 10 * power;
}

}  // namespace mnist_dist
