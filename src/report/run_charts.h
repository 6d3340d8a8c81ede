#pragma once
#include <span>
#include <string>

#include "report/run_record.h"

namespace mnist_dist {

/// Accuracy by epoch: training, the weights before averaging, and those that are delivered.
std::string accuracy_svg(const RunRecord& run);
/// Loss by epoch: training, and of the weights before averaging.
std::string loss_svg(const RunRecord& run);
/// Learning rate of each epoch's last step.
std::string rate_svg(const RunRecord& run);

/// A curve of one of several runs or sweeps.
struct NamedCurve {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< by epoch
};
/// Curves over each other. "" where there is no point.
std::string overlaid_svg(const std::string& title, std::span<const NamedCurve> curves);

}  // namespace mnist_dist
