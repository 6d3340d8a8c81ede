#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "base/folder_lock.h"
#include "config/config.h"
#include "train/checkpoint.h"

namespace mnist_dist {

// A run folder holds config.toml (resolved), status.json, metrics.csv, events.out.tfevents.*,
// checkpoint.h5, checkpoint.prev.h5 and, when the run has ended, predictions.csv, summary.json and
// report.html. Rank 0 alone calls these.

/// Makes runs/RECIPE-seedSEED-TIME, with a number behind it where that is taken.
std::filesystem::path make_default_folder(const Config& config);

/// Makes the folder of a new run, locks it and writes its config.toml. A folder that holds nothing
/// but leftovers of killed processes counts as empty.
/// Throws: Error: usage when it holds anything else (a run is never overwritten) or another process
/// works in it, data when it cannot be written.
[[nodiscard]] FolderLock create_run_folder(const std::filesystem::path& folder,
                                           const Config& config);

/// Whether metrics.csv has whole rows of the first `epochs` epochs.
bool has_rows_of(const std::filesystem::path& folder, std::uint32_t epochs);

/// For a seed of a sweep, in its run folder, which must be locked: the checkpoint to continue from.
/// If there is none, or metrics.csv misses rows before it, the run starts again, and the old files
/// are removed.
std::optional<Checkpoint> start_or_resume(const std::filesystem::path& locked_folder,
                                          const Config& config);

/// Whether a file is a whole recipe, or cannot be read for a reason other than its text. False
/// where there is no file.
bool is_recipe(const std::filesystem::path& file);

/// Whether a folder has files that remove_run_leftovers removes, or a lease.
bool has_run_leftovers(const std::filesystem::path& folder);

/// The newest unfinished run of the same recipe and seed in `runs`.
/// Throws: Error (usage) when there is none.
std::filesystem::path newest_unfinished_run(const std::filesystem::path& runs,
                                            const Config& config);

/// The checkpoint to continue from. Nothing when the run was killed before its first one, also
/// before it wrote its recipe: then it starts again. Removes temporary files, so the folder must be
/// locked.
/// Throws: Error: usage when the folder is missing or holds no run, the run is finished, or recipe
/// or seed differ, data when all checkpoints are damaged.
std::optional<Found> resume_point(const std::filesystem::path& folder, const Config& config);

/// Removes leftovers of killed processes from a run folder in which no other process works.
void remove_run_leftovers(const std::filesystem::path& folder);

/// For a run whose files contradict each other.
std::string scoring_hint(const std::filesystem::path& folder);
/// For a finished run whose summary.json is lost or damaged.
std::string summary_hint(const std::filesystem::path& folder);

/// The first line in which two recipe_toml texts differ, as: got "epochs = 4", expected
/// "epochs = 3".
std::string recipe_difference(const std::string& was, const std::string& is);

/// Throws: Error (usage), on every rank, when a run was started with other data.
void check_same_data(const Checkpoint& checkpoint, const std::string& data_hash);

}  // namespace mnist_dist
