#pragma once
#include <span>
#include <string>
#include <vector>

#include "report/difference.h"

namespace mnist_dist {

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
