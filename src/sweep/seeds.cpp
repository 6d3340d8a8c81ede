#include "sweep/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "base/parse_number.h"

namespace mnist_dist {
namespace {

constexpr std::size_t most = 1'000'000;  // more is probably a typing error

/// Below 2^63, which every CSV reader takes for a number.
std::optional<std::uint64_t> number(std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text) {
  const auto bad = [&] {
    return usage_error(
        fmt::format("wrong list of seeds (got \"{}\", expected for example 0..99)", text),
        "write them as 0..99 or 1,5,10..19");
  };
  const auto too_many = [&] {
    return usage_error(fmt::format("\"{}\" names more than {} seeds", text, most),
                       fmt::format("give at most {} seeds", most));
  };
  std::vector<std::uint64_t> seeds;
  bool ascending = true;  // so far, so none is repeated
  std::unordered_set<std::uint64_t> seen;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const std::string_view part = std::string_view(text).substr(from, to - from);
    const std::size_t dots = part.find("..");
    const auto first = number(part.substr(0, dots));
    const auto last = dots == part.npos ? first : number(part.substr(dots + 2));
    if (!first || !last || *last < *first) throw bad();
    if (*last - *first >= most) throw too_many();
    if (ascending && !seeds.empty() && *first <= seeds.back()) {
      ascending = false;
      seen.insert(seeds.begin(), seeds.end());
    }
    for (std::uint64_t seed = *first;; ++seed) {
      if (ascending || seen.insert(seed).second) seeds.push_back(seed);
      if (seed == *last) break;
    }
    if (seeds.size() > most) throw too_many();
    from = to + 1;
  }
  return seeds;
}

std::string join_seeds(const std::string& a, const std::string& b) {
  std::vector<std::uint64_t> in_a = parse_seeds(a), in_b = parse_seeds(b), all;
  std::ranges::sort(in_a);
  std::ranges::sort(in_b);
  if (std::ranges::includes(in_a, in_b)) return a;
  std::ranges::set_union(in_a, in_b, std::back_inserter(all));
  if (all.size() > most)
    throw usage_error(fmt::format("the sweep would have {} seeds, more than {}", all.size(), most),
                      "put these seeds into a different sweep");
  std::string text;
  for (std::size_t from = 0, to; from < all.size(); from = to) {
    for (to = from + 1; to < all.size() && all[to] == all[to - 1] + 1;) ++to;
    text += text.empty() ? "" : ",";
    text +=
        to == from + 1 ? fmt::to_string(all[from]) : fmt::format("{}..{}", all[from], all[to - 1]);
  }
  return text;
}

}  // namespace mnist_dist
