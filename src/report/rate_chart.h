#pragma once
#include <optional>
#include <string>
#include <vector>

#include "train/rate_range.h"

namespace mnist_dist {

/// Loss over learning rate (a logarithmic axis), with a mark at the suggested rate.
/// Both need at least one point.
std::string rate_svg(const std::string& title, const std::vector<RatePoint>& points,
                     std::optional<double> suggested);

/// The same for a terminal: `columns` characters wide, with an axis on the left and below.
std::string rate_text(const std::vector<RatePoint>& points, int columns);

}  // namespace mnist_dist
