#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mnist_dist {

/// One SVG drawing with axes, 420 x 220 units: text stays readable when a phone shows it 360 pixels
/// wide. Points outside the axes are cut. Colours are those of a light page. The style of html_page
/// replaces them on a dark one.
class Chart {
 public:
  struct Axis {
    double low = 0, high = 1;
    std::string label;
    int decimals = 0;
  };
  struct LegendEntry {
    std::string name;
    std::string_view color;
    bool dashed = false;
  };
  /// The legend stands in one line under the title.
  Chart(const std::string& title, Axis x, Axis y, std::vector<LegendEntry> legend = {});

  /// A single point becomes a dot.
  void line(const std::vector<std::pair<double, double>>& points, std::string_view color,
            double width, double opacity = 1, bool dashed = false);
  void band(const std::vector<std::pair<double, double>>& low,
            const std::vector<std::pair<double, double>>& high, std::string_view color);
  void bar(double from, double to, double height, std::string_view color, const std::string& tip);
  void dot(double x, double y, std::string_view color, const std::string& tip);
  void vertical(double x, const std::string& label, std::string_view color);
  void horizontal(double y, const std::string& label, std::string_view color);

  /// The whole <svg>. `standalone` adds the parts for a file of its own.
  std::string svg(bool standalone = false) const;

 private:
  double px(double x) const;
  double py(double y) const;
  std::string path(const std::vector<std::pair<double, double>>& points, bool begin) const;

  std::string title_;
  Axis x_, y_;
  std::vector<LegendEntry> legend_;
  double top_;
  std::string inside_, labels_;
};

/// The distance of an axis' marks from low to high: 1, 2 or 5 times a power of ten, so that there
/// are about `steps`, and no less than one unit of the last decimal, so that no label repeats.
double round_step(double low, double high, int steps, int decimals = 9);

namespace color {
inline constexpr const char *good = "#2563eb", *bad = "#dc2626", *target = "#b45309",
                            *grey = "#6b7280";
}

}  // namespace mnist_dist
