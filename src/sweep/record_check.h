#pragma once
#include <filesystem>

#include "sweep/record.h"

namespace mnist_dist {

/// Compares what the files of a sweep's folder say twice: accuracies with counts, seeds.csv with
/// epochs.csv, errors.csv and sweep.json, sweep.json with config.toml. A verdict rests on them.
/// Throws Error (data) naming the file and the row.
void check_record(const std::filesystem::path& folder, const SweepRecord& record);

}  // namespace mnist_dist
