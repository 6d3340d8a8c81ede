#pragma once
#include <string>

#include "sweep/verdict.h"

namespace mnist_dist {

/// Final accuracies, with the target.
std::string histogram_svg(const SweepRecord& record, const Verdict& verdict,
                          bool standalone = false);
/// Every seed's accuracy by epoch, their median, minimum and maximum.
std::string curves_svg(const SweepRecord& record, const Verdict& verdict);
/// Final accuracies from the worst to the best seed.
std::string dots_svg(const SweepRecord& record, const Verdict& verdict);

}  // namespace mnist_dist
