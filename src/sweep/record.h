#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/folder_lock.h"
#include "sweep/identity.h"
#include "sweep/outcome.h"

namespace mnist_dist {

/// All results in a sweep's folder.
struct SweepRecord {
  SweepIdentity identity;
  std::string recipe_text;            ///< config.toml
  std::vector<SeedOutcome> outcomes;  ///< by seed
  bool has_rows = false;  ///< outcomes come from row files (sweep/row.h), not from the tables
};

/// Reads config.toml, sweep.json and the row files. A sweep of an earlier version, or a published
/// one, has no row files: there seeds.csv, epochs.csv and errors.csv are read.
/// Throws: Error: usage when the folder holds no sweep, data when a file is damaged.
SweepRecord read_record(const std::filesystem::path& folder);
/// The same from sweep.json and seeds.csv alone, without epochs and mistakes. No outcomes where
/// there is no seeds.csv.
SweepRecord read_seeds_table(const std::filesystem::path& folder);

/// Checks the tables of a sweep that has row files. They may be older than the row files, but must
/// not contradict them. Not of a sweep of more than 10,000 rows.
/// Throws: Error (data).
void check_tables(const std::filesystem::path& folder);

/// Writes seeds.csv with one row per seed, epochs.csv with every run's metrics.csv and the seed
/// before it, and errors.csv with one row per mistake. Gives false, and writes no further table,
/// when the folder's lock was lost.
/// Throws: Error (data).
[[nodiscard]] bool write_tables(const std::filesystem::path& folder, const SweepRecord& record,
                                const FolderLock& lock);

}  // namespace mnist_dist
