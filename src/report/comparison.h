#pragma once
#include <span>
#include <string>
#include <vector>

#include "report/contestant.h"
#include "sweep/statistics.h"

namespace mnist_dist {

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
  bool shown() const;                   ///< whether the interval excludes 0
};

/// Throws: Error (usage) when the two were scored on different images.
Difference difference_of(const Contestant& first, const Contestant& second);

/// "B is better than A by 0.05 points (...)", or that no difference is shown.
std::string verdict_sentence(const Contestant& first, const Contestant& second,
                             const Difference& difference);

/// Keys of the recipes that differ: key, then one value per contestant.
std::vector<std::vector<std::string>> differing_keys(std::span<const Contestant> contestants);

/// For the terminal: a table that fits into `columns` (0: any width), the differences to the first
/// one, verdicts.
std::string comparison_text(std::span<const Contestant> contestants, int columns);
/// The same as one JSON object.
std::string comparison_json(std::span<const Contestant> contestants);
/// The same as a page, with curves over each other.
std::string comparison_page(std::span<const Contestant> contestants);

}  // namespace mnist_dist
