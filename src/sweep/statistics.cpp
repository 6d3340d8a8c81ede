#include "sweep/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace mnist_dist {
namespace {

constexpr double one_sided = 0.05;           // of the probability lies beyond a bound
constexpr std::int64_t whole = 100'000'000;  // 100 percent in millionths of a percent

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

}  // namespace

Target::Target(const std::string& percent) : text_(percent), millionths_(0) {
  const auto bad = [&] {
    return usage_error(fmt::format("wrong target (got \"{}\", expected 0 to 100)", percent),
                       "give a percentage from 0 to 100, such as 99.4");
  };
  constexpr int decimals = 6;
  int behind_point = -1;  // digits behind the point, -1 before it
  bool any = false;
  for (const char c : percent) {
    if (c == '.' && behind_point < 0) {
      behind_point = 0;
    } else if (c >= '0' && c <= '9' && behind_point < decimals && millionths_ <= whole) {
      millionths_ = millionths_ * 10 + (c - '0');
      if (behind_point >= 0) ++behind_point;
      any = true;
    } else {
      throw bad();
    }
  }
  for (int digit = std::max(behind_point, 0); digit < decimals && millionths_ <= whole; ++digit)
    millionths_ *= 10;
  if (!any || millionths_ > whole) throw bad();
}

std::int64_t Target::required_correct(std::int64_t images) const {
  return (millionths_ * images + whole - 1) / whole;
}

Statistics statistics_of(std::span<const double> values) {
  Statistics s;
  s.n = static_cast<int>(values.size());
  if (values.empty()) return s;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double n = s.n;
  s.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  s.min = sorted.front();
  s.max = sorted.back();
  s.p1 = quantile(sorted, 0.01);
  s.p5 = quantile(sorted, 0.05);
  s.p50 = quantile(sorted, 0.50);
  if (s.n < 2) return s;

  double squares = 0;
  for (const double value : sorted) squares += (value - s.mean) * (value - s.mean);
  s.sd = std::sqrt(squares / (n - 1));
  const double error = s.sd / std::sqrt(n);
  using boost::math::complement, boost::math::quantile;
  const boost::math::students_t t(n - 1);
  const double reach = quantile(complement(t, each_side)) * error;
  s.mean_interval = {s.mean - reach, s.mean + reach};
  s.mean_lower_bound = s.mean - quantile(complement(t, one_sided)) * error;
  const boost::math::chi_squared chi(n - 1);
  s.sd_interval = {std::sqrt(squares / quantile(complement(chi, each_side))),
                   std::sqrt(squares / quantile(chi, each_side))};
  return s;
}

double success_lower_bound(int k, int n) {
  if (k == 0 || n == 0) return 0;
  return boost::math::binomial_distribution<>::find_lower_bound_on_p(n, k, one_sided);
}

Interval success_interval(int k, int n) {
  if (n == 0) return {0, 1};
  using Binomial = boost::math::binomial_distribution<>;
  return {k == 0 ? 0 : Binomial::find_lower_bound_on_p(n, k, each_side),
          k == n ? 1 : Binomial::find_upper_bound_on_p(n, k, each_side)};
}

double resolution(double accuracy, std::int64_t images) {
  if (images == 0) return 0;
  return std::sqrt(accuracy * (100 - accuracy) / static_cast<double>(images));
}

Comparison compare_paired(const std::map<std::uint64_t, double>& a,
                          const std::map<std::uint64_t, double>& b) {
  Comparison comparison;
  std::vector<double> differences;
  for (const auto& [seed, mine] : a) {
    const auto other = b.find(seed);
    if (other == b.end()) continue;
    differences.push_back(other->second - mine);
    ++(other->second > mine   ? comparison.better
       : other->second < mine ? comparison.worse
                              : comparison.same);
  }
  comparison.difference = statistics_of(differences);
  return comparison;
}

}  // namespace mnist_dist
