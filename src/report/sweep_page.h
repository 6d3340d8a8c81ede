#pragma once
#include <filesystem>
#include <string>

#include "sweep/verdict.h"

namespace mnist_dist {

/// report.html of a sweep: the verdict first, then what it rests on. Draws digits that are got
/// wrong when the data file is there and is the one that was scored.
std::string sweep_page(const SweepRecord& record, const Verdict& verdict,
                       const std::filesystem::path& folder = {}, int refresh_seconds = 0);

}  // namespace mnist_dist
