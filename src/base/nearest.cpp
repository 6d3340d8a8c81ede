#include "base/nearest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace mnist_dist {
namespace {

/// Levenshtein distance, in which two letters that changed places count once.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1), before;
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const std::vector<std::size_t> above = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j - 1] + (a[i - 1] != b[j - 1]), above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
  }
  return row[b.size()];
}

/// "step5" and "step1" are two things, not one and a slip of the keyboard.
bool differ_in_a_number(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto without_digits = [&](std::string_view text) {
    std::string rest(text);
    std::erase_if(rest, digit);
    return rest;
  };
  return a != b && std::ranges::any_of(a, digit) && std::ranges::any_of(b, digit) &&
         without_digits(a) == without_digits(b);
}

/// Whether `name` is `typed` with more letters: of two that are equally near, a slip of the
/// keyboard left letters out rather than replaced them.
bool has_letters_of(std::string_view name, std::string_view typed) {
  std::size_t found = 0;
  for (const char c : name) found += found < typed.size() && typed[found] == c;
  return found == typed.size();
}

}  // namespace

std::string nearest_name(std::string_view typed, std::span<const std::string> known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const auto& name : known) {
    const std::size_t distance = edit_distance(typed, name);
    const bool nearer =
        distance < best_distance || (distance == best_distance && !best.empty() &&
                                     has_letters_of(name, typed) && !has_letters_of(best, typed));
    if (nearer && !differ_in_a_number(typed, name)) best = name, best_distance = distance;
  }
  return best;
}

std::string suggest(std::string_view typed, std::span<const std::string> known) {
  const std::string near = nearest_name(typed, known);
  return near.empty() ? fmt::format("use one of: {}", fmt::join(known, ", "))
                      : fmt::format("did you mean {}?", near);
}

}  // namespace mnist_dist
