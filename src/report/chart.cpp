#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/printable.h"

namespace mnist_dist {
namespace {

constexpr double width = 420, height = 220, left = 46, right = 12, top = 22, bottom = 36;

/// Where an axis is marked; none at "-0".
std::vector<double> marks(double low, double high, int about) {
  const double step = round_step(low, high, about);
  std::vector<double> at;
  for (double i = std::ceil(low / step - 1e-6); i * step <= high + step * 1e-6; ++i) at.push_back(i == 0 ? 0 : i * step);
  return at;
}

}  // namespace

Chart::Chart(const std::string& title, Axis x, Axis y) : title_(title), x_(std::move(x)), y_(std::move(y)) {
  if (!(x_.high > x_.low)) x_.high = x_.low + 1;
  if (!(y_.high > y_.low)) y_.high = y_.low + 1;
}

double Chart::px(double x) const { return left + (x - x_.low) / (x_.high - x_.low) * (width - left - right); }
double Chart::py(double y) const { return height - bottom - (y - y_.low) / (y_.high - y_.low) * (height - top - bottom); }

std::string Chart::path(const std::vector<std::pair<double, double>>& points, bool begin) const {
  std::string d;
  for (const auto& [x, y] : points) {
    d += fmt::format("{}{:.1f} {:.1f}", begin ? "M" : "L", px(x), py(y));
    begin = false;
  }
  return d;
}

void Chart::line(const std::vector<std::pair<double, double>>& points, std::string_view color, double stroke, double opacity, bool dashed) {
  inside_ += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\"{}/>\n", path(points, true), color,
                         stroke, opacity, dashed ? " stroke-dasharray=\"4 3\"" : "");
}

void Chart::band(const std::vector<std::pair<double, double>>& low, const std::vector<std::pair<double, double>>& high, std::string_view color) {
  const std::vector<std::pair<double, double>> back(high.rbegin(), high.rend());
  inside_ += fmt::format("<path d=\"{}{}Z\" fill=\"{}\" fill-opacity=\"0.12\"/>\n", path(low, true), path(back, false), color);
}

void Chart::bar(double from, double to, double value, std::string_view color, const std::string& tip) {
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
  inside_ += fmt::format("<path d=\"M{0:.1f} {1}V{2}\" stroke=\"{3}\" stroke-width=\"1.5\" stroke-dasharray=\"5 3\"/>\n", px(x), top, height - bottom,
                         color);
  const bool on_right = px(x) < width * 0.7;
  labels_ += fmt::format("<text x=\"{:.1f}\" y=\"{}\" fill=\"{}\" text-anchor=\"{}\">{}</text>\n",
                         px(x) + (on_right ? 4 : -4), top + 10, color, on_right ? "start" : "end",
                         html_text(label));
}

void Chart::horizontal(double y, const std::string& label, std::string_view color) {
  inside_ +=
      fmt::format("<path d=\"M{0} {1:.1f}H{2}\" stroke=\"{3}\" stroke-width=\"1.5\" stroke-dasharray=\"5 3\"/>\n", left, py(y), width - right, color);
  labels_ += fmt::format("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\" text-anchor=\"end\">{}</text>\n",
                         width - right, py(y) + 12, color, html_text(label));
}

std::string Chart::svg(bool standalone) const {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\" font-family=\"system-ui, sans-serif\" "
      "font-size=\"11\">\n",
      width, height, html_text(title_));
  if (standalone) out += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>\n", width, height);
  // Clip paths of several drawings in one page must not share a name; the same box may.
  out += fmt::format("<clipPath id=\"box\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n", left, top, width - left - right,
                     height - top - bottom);
  out += fmt::format("<text x=\"{}\" y=\"13\" font-weight=\"600\" fill=\"#111827\">{}</text>\n",
                     left, html_text(title_));
  for (const double y : marks(y_.low, y_.high, 5))
    out += fmt::format(
        "<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#e5e7eb\"/><text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\" fill=\"#4b5563\">{5:.{6}f}</text>\n",
        left, py(y), width - right, left - 5, py(y) + 4, y, y_.decimals);
  for (const double x : marks(x_.low, x_.high, 6))
    out += fmt::format(
        "<path d=\"M{0:.1f} {1}v4\" stroke=\"#9ca3af\"/><text x=\"{0:.1f}\" y=\"{2}\" text-anchor=\"middle\" fill=\"#4b5563\">{3:.{4}f}</text>\n",
        px(x), height - bottom, height - bottom + 15, x, x_.decimals);
  out += fmt::format("<path d=\"M{} {}H{}\" stroke=\"#9ca3af\"/>\n<g clip-path=\"url(#box)\">\n{}</g>\n{}", left, height - bottom, width - right,
                     inside_, labels_);
  out +=
      fmt::format("<text x=\"{:.0f}\" y=\"{}\" text-anchor=\"middle\" fill=\"#4b5563\">{}</text>\n",
                  (left + width - right) / 2, height - 5, html_text(x_.label));
  return out + "</svg>\n";
}

double round_step(double low, double high, int steps) {
  const double raw = (high - low) / steps;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double times : {1.0, 2.0, 5.0})
    if (times * power >= raw * 0.999) return times * power;
  return 10 * power;
}

}  // namespace mnist_dist
