#pragma once
#include <filesystem>
#include <string>

#include "sweep/verdict.h"

namespace mnist_dist {

/// report.html of a sweep: the verdict first, then the evidence. Draws misclassified digits if the
/// data file exists and is the one that was scored.
std::string sweep_page(const SweepRecord& record, const Verdict& verdict,
                       const std::filesystem::path& folder = {}, int refresh_seconds = 0);

}  // namespace mnist_dist
