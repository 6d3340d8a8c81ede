#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace mnist_dist {

struct Interval {
  double low = 0, high = 0;
};
inline constexpr double each_side = 0.025;  ///< of the probability lies beyond each of its ends

/// An accuracy to reach, in percent, as the decimal number that was typed: a pass is decided in
/// integers, because 99.4 has no exact double.
class Target {
 public:
  /// "99.4": a number from 0 to 100 with at most 6 decimals.
  /// Throws: Error (usage).
  explicit Target(const std::string& percent);
  /// The fewest correct images that reach it: ceil(target * images / 100), exactly.
  std::int64_t required_correct(std::int64_t images) const;
  const std::string& text() const { return text_; }
  double percent() const { return static_cast<double>(millionths_) / 1e6; }

 private:
  std::string text_;
  std::int64_t millionths_;  ///< of a percent
};

/// The distribution of n independent runs. Intervals are two-sided 95%, bounds one-sided 95%.
/// Interval, bound and SD are 0 below two runs.
struct Statistics {
  int n = 0;
  double mean = 0;
  Interval mean_interval;       ///< Student's t, n - 1 degrees of freedom
  double mean_lower_bound = 0;  ///< one-sided, t
  double sd = 0;                ///< with n - 1
  Interval sd_interval;  ///< chi-square, n - 1 degrees of freedom, assumes a normal distribution
  double min = 0, max = 0;
  double p1 = 0, p5 = 0,
         p50 =
             0;  ///< quantiles by linear interpolation between order statistics, as NumPy's default
};
Statistics statistics_of(std::span<const double> values);

/// Clopper and Pearson's exact lower bound (one-sided 95%) on the chance of success after k
/// successes in n trials. 0 for k = 0.
double success_lower_bound(int k, int n);
/// The same two-sided 95%: the chance that one more run succeeds, from k of n runs.
Interval success_interval(int k, int n);

/// Standard error, in percent, of one run's accuracy (percent) that comes from `images` being a
/// sample only: the resolution of the test set.
double resolution(double accuracy, std::int64_t images);

/// Two sweeps, seed by seed.
struct Comparison {
  Statistics difference;                ///< b - a, over seeds that both have
  int better = 0, same = 0, worse = 0;  ///< seeds where b is above, at, below a
};
Comparison compare_paired(const std::map<std::uint64_t, double>& a,
                          const std::map<std::uint64_t, double>& b);

}  // namespace mnist_dist
