#include "sweep/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.h"

namespace mnist_dist {
namespace {

constexpr std::size_t most = 1'000'000;  // more is a slip of the keyboard

/// Below 2^63, which every CSV reader takes for a number.
std::optional<std::uint64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text) {
  const auto bad = [&] { return usage_error(fmt::format("\"{}\" does not name seeds", text), "write them as 0..99 or 1,5,10..19"); };
  const auto too_many = [&] { return usage_error(fmt::format("\"{}\" names more than {} seeds", text, most), "name fewer"); };
  std::vector<std::uint64_t> seeds;
  std::set<std::uint64_t> seen;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const std::string_view part = std::string_view(text).substr(from, to - from);
    const std::size_t dots = part.find("..");
    const auto first = number(part.substr(0, dots));
    const auto last = dots == part.npos ? first : number(part.substr(dots + 2));
    if (!first || !last || *last < *first) throw bad();
    if (*last - *first >= most) throw too_many();
    for (std::uint64_t seed = *first;; ++seed) {
      if (seen.insert(seed).second) seeds.push_back(seed);
      if (seed == *last) break;
    }
    if (seeds.size() > most) throw too_many();
    from = to + 1;
  }
  return seeds;
}

}  // namespace mnist_dist
