#pragma once
#include "report/contestant.h"
#include "sweep/statistics.h"

namespace mnist_dist {

/// Of the final accuracies of a contestant's seeds.
Statistics accuracy_statistics(const Contestant& contestant);

/// How the final accuracy of a contestant differs from the first one's, in points.
struct Difference {
  enum class Basis {
    seeds,     ///< paired by seed, Student's t
    images,    ///< one run each, paired by image
    unpaired,  ///< no two seeds in common: Welch's t
    single,    ///< too few to give an interval
    none       ///< one of them has no result
  } basis = Basis::single;
  double points = 0;
  Interval interval;                    ///< two-sided 95 %. Meaningless for `single` and `none`
  int pairs = 0;                        ///< seeds or images
  int better = 0, same = 0, worse = 0;  ///< pairs where the second is above, at, below the first
  bool has_interval() const { return basis != Basis::single && basis != Basis::none; }
  /// Whether the interval excludes 0.
  bool shown() const { return has_interval() && (interval.low > 0 || interval.high < 0); }
};

/// Throws: Error (usage) when the two were scored on different images.
Difference difference_of(const Contestant& first, const Contestant& second);

}  // namespace mnist_dist
