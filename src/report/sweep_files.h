#pragma once
#include <filesystem>

#include "sweep/record.h"

namespace mnist_dist {

/// Writes the files that are derived from a sweep's record into its folder: summary.json,
/// report.html and histogram.svg.
/// Throws: Error (data) when it cannot.
void write_sweep_report(const std::filesystem::path& folder, const SweepRecord& record);

}  // namespace mnist_dist
