#include "image/parts.h"

#include <algorithm>
#include <vector>

namespace mnist_dist {
namespace {

constexpr float drawn = 0.35f;        // amount of ink
constexpr double side_share = 0.6;    // of the height of the whole: a digit beside others
constexpr double above_share = 0.3;   // the same of a digit above or below others
constexpr double least_aspect = 0.8;  // a digit's height by its width

/// Half-open.
struct Run {
  int begin, end;
  int length() const { return end - begin; }
};

/// Runs of lines with ink. `has_ink(line)`.
std::vector<Run> runs(int lines, const auto& has_ink) {
  std::vector<Run> found;
  for (int line = 0; line < lines; ++line) {
    if (!has_ink(line)) continue;
    if (found.empty() || found.back().end < line) found.push_back({line, line + 1});
    found.back().end = line + 1;
  }
  return found;
}

bool has_ink(const Ink& ink, Run columns, Run rows) {
  for (int y = rows.begin; y < rows.end; ++y)
    for (int x = columns.begin; x < columns.end; ++x)
      if (ink.at(x, y) > drawn) return true;
  return false;
}

/// From the first to the last of `runs`.
Run whole(const std::vector<Run>& runs) { return {runs.front().begin, runs.back().end}; }

std::vector<Run> columns_of(const Ink& ink, Run rows) {
  return runs(ink.width, [&](int x) { return has_ink(ink, {x, x + 1}, rows); });
}
std::vector<Run> rows_of(const Ink& ink, Run columns) {
  return runs(ink.height, [&](int y) { return has_ink(ink, columns, {y, y + 1}); });
}

}  // namespace

Arrangement arrangement_of(const Ink& ink) {
  const std::vector<Run> columns = columns_of(ink, {0, ink.height}),
                         rows = rows_of(ink, {0, ink.width});
  if (rows.empty()) return Arrangement::one_digit;
  const double height = whole(rows).length();
  const auto beside = std::ranges::count_if(
      columns, [&](Run part) { return whole(rows_of(ink, part)).length() >= side_share * height; });
  if (beside > 1) return Arrangement::side_by_side;
  const auto above = std::ranges::count_if(rows, [&](Run part) {
    return part.length() >= above_share * height &&
           part.length() >= least_aspect * whole(columns_of(ink, part)).length();
  });
  return above > 1 ? Arrangement::above_each_other : Arrangement::one_digit;
}

}  // namespace mnist_dist
