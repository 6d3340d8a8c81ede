#include "report/confusion.h"

#include <fmt/format.h>

#include <numeric>

namespace mnist_dist {

Confusion confusion_of(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> predictions) {
  Confusion counts{};
  for (std::size_t i = 0; i < labels.size(); ++i) ++counts[labels[i]][predictions[i]];
  return counts;
}

std::string confusion_table(const Confusion& counts) {
  std::string out = "rows: label, columns: predicted class\n  ";
  for (int prediction = 0; prediction < class_count; ++prediction)
    out += fmt::format("{:>5}", prediction);
  out += "  recall\n";
  for (std::size_t label = 0; label < counts.size(); ++label) {
    out += fmt::format("{:>2}", label);
    for (const int count : counts[label])
      out += count == 0 ? fmt::format("{:>5}", ".") : fmt::format("{:>5}", count);
    const int total = std::accumulate(counts[label].begin(), counts[label].end(), 0);
    out += total == 0 ? "       -\n"
                      : fmt::format(" {:6.2f}%\n", 100.0 * counts[label][label] / total);
  }
  return out;
}

std::string draw_digit(std::span<const std::uint8_t> pixels) {
  // Shades of ink instead of colour: they survive a log file.
  static constexpr std::array<const char*, 5> shades = {" ", "░", "▒", "▓", "█"};
  std::string out;
  for (int row = 0; row < image_side; row += 2) {
    for (int column = 0; column < image_side; ++column) {
      const auto at = [&](int r) { return pixels[static_cast<std::size_t>(r * image_side + column)]; };
      out += shades[static_cast<std::size_t>((at(row) + at(row + 1)) / 2 * 5 / 256)];
    }
    out += '\n';
  }
  return out;
}

}  // namespace mnist_dist
