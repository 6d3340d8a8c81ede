#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "base/folder_lock.h"
#include "config/config.h"
#include "train/checkpoint.h"

namespace mnist_dist {

// A run folder holds config.toml (resolved), metrics.csv, summary.json, checkpoint.h5 and checkpoint.prev.h5. Rank 0 alone calls these.

/// Makes runs/RECIPE-seedSEED-TIME, with a number behind it where that is taken.
std::filesystem::path make_default_folder(const Config& config);

/// Makes the folder of a new run, locks it and writes its config.toml. Throws Error: usage when it is there and not empty (a run is never
/// overwritten) or another process is at work in it, data when it cannot be written.
[[nodiscard]] FolderLock create_run_folder(const std::filesystem::path& folder, const Config& config);

/// The newest unfinished run of the same recipe and seed in `runs`. Throws Error (usage) when there is none.
std::filesystem::path newest_unfinished_run(const std::filesystem::path& runs, const Config& config);

/// The checkpoint to go on from, nothing when the run was killed before its first one; removes temporary files, so the folder must be locked. Throws
/// Error: usage when the folder holds no run, the run is finished, or recipe or seed differ; data when all checkpoints are damaged.
std::optional<Found> resume_point(const std::filesystem::path& folder, const Config& config);

/// For a run whose summary.json is lost or damaged: nothing writes it again.
std::string scoring_hint(const std::filesystem::path& folder);

/// The first line in which two recipe_toml texts differ, as: it has "epochs = 3", asked for is "epochs = 4".
std::string recipe_difference(const std::string& was, const std::string& is);

/// Throws Error (usage), on every rank, when a run was begun with other data.
void check_same_data(const Checkpoint& checkpoint, const std::string& data_hash);

}  // namespace mnist_dist
