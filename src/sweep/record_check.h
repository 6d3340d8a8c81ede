#pragma once
#include <filesystem>

#include "config/config.h"
#include "sweep/record.h"

namespace mnist_dist {

/// Seeds that have a row and that sweep.json does not declare.
std::vector<std::uint64_t> undeclared_seeds(const SweepRecord& record);

/// Compares config.toml with the hash in sweep.json.
/// Throws: Error (data).
void check_recipe_hash(const std::filesystem::path& folder, const SweepIdentity& identity,
                       const Config& recipe);

/// Compares the values that a sweep's folder has twice: accuracies with counts, seeds.csv with
/// epochs.csv, errors.csv and sweep.json, sweep.json with config.toml and with the rows' seeds. A
/// verdict rests on them.
/// Throws: Error (data) naming the file and the row.
void check_record(const std::filesystem::path& folder, const SweepRecord& record);

}  // namespace mnist_dist
