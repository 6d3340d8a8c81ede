#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "config/config.h"
#include "train/checkpoint.h"

namespace mnist_dist {

// A run folder holds config.toml (resolved), metrics.csv, summary.json, checkpoint.h5 and checkpoint.prev.h5. Rank 0 alone calls these.

/// Makes the folder of a new run and writes its config.toml. `wanted` empty: runs/RECIPE-seedSEED-TIME. Throws Error: usage when the folder is there
/// and not empty (a run is never overwritten), data when it cannot be written.
std::filesystem::path create_run_folder(const std::filesystem::path& wanted, const Config& config);

/// The newest unfinished run of the same recipe and seed in `runs`. Throws Error (usage) when there is none.
std::filesystem::path newest_unfinished_run(const std::filesystem::path& runs, const Config& config);

/// The checkpoint to go on from. Throws Error: usage when there is none, the run is finished, or recipe or seed differ; data when all are damaged.
Found resume_point(const std::filesystem::path& folder, const Config& config);

/// The first line in which two recipe_toml texts differ, as: it has "epochs = 3", asked for is "epochs = 4".
std::string recipe_difference(const std::string& was, const std::string& is);

/// Throws Error (usage), on every rank, when a run was begun with other data.
void check_same_data(const Checkpoint& checkpoint, const std::string& data_hash);

}  // namespace mnist_dist
