#include "report/confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

namespace mnist_dist {

Confusion no_confusion(int classes) {
  const auto size = static_cast<std::size_t>(classes);
  return Confusion(size, std::vector<int>(size));
}

Confusion confusion_of(std::span<const ClassIndex> labels, std::span<const ClassIndex> predictions,
                       int classes) {
  Confusion counts = no_confusion(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) ++counts[labels[i]][predictions[i]];
  return counts;
}

std::vector<Mistaken> most_mistaken(const Confusion& counts, std::size_t most) {
  std::vector<Mistaken> all;
  for (std::size_t label = 0; label < counts.size(); ++label)
    for (std::size_t c = 0; c < counts.size(); ++c)
      if (c != label && counts[label][c] > 0)
        all.push_back({static_cast<int>(label), static_cast<int>(c), counts[label][c]});
  std::ranges::stable_sort(all, std::ranges::greater(), &Mistaken::count);
  if (all.size() > most) all.resize(most);
  return all;
}

std::string frequent_mistakes(const Confusion& counts) {
  constexpr std::size_t most_listed = 50;
  std::string out =
      "<h2>Most frequent mistakes</h2>\n<div class=\"scroll\"><table>\n<tr><th>label</th>"
      "<th>predicted</th><th>images</th></tr>\n";
  for (const Mistaken& m : most_mistaken(counts, most_listed))
    out +=
        fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", m.label, m.prediction, m.count);
  return out + "</table></div>\n";
}

std::string confusion_table(const Confusion& counts, int columns) {
  constexpr std::size_t most_columns = 10, most_lines = 20;
  const int width = 10 + 5 * static_cast<int>(counts.size());
  if (counts.size() > most_columns || (columns > 0 && width > columns)) {
    std::string lines = "most frequent mistakes\nlabel  predicted  images\n";
    for (const Mistaken& m : most_mistaken(counts, most_lines))
      lines += fmt::format("{:>5}  {:>9}  {:>6}\n", m.label, m.prediction, m.count);
    return lines;
  }
  std::string out = "rows: label, columns: predicted class\n  ";
  for (std::size_t prediction = 0; prediction < counts.size(); ++prediction)
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

std::string draw_digit(std::span<const std::uint8_t> pixels, int columns) {
  // Shades of ink instead of colour: they survive a log file.
  static constexpr std::array<const char*, 5> shades = {" ", "░", "▒", "▓", "█"};
  const int side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(pixels.size()))));
  const int step = columns > 0 ? (side + columns - 1) / columns : 1;  // pixels per character
  const auto mean = [&](int top, int left) {  // beyond the image: background
    int sum = 0;
    for (int row = top; row < std::min(top + 2 * step, side); ++row)
      for (int column = left; column < std::min(left + step, side); ++column)
        sum += pixels[static_cast<std::size_t>(row * side + column)];
    return sum / (2 * step * step);
  };
  std::string out;
  for (int row = 0; row < side; row += 2 * step) {
    for (int column = 0; column < side; column += step)
      out += shades[static_cast<std::size_t>(mean(row, column) * 5 / 256)];
    out += '\n';
  }
  return out;
}

}  // namespace mnist_dist
