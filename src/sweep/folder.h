#pragma once
#include <filesystem>
#include <optional>
#include <set>

#include "base/folder_lock.h"
#include "config/config.h"
#include "sweep/record.h"

namespace mnist_dist {

/// A sweep's folder, held by one process: config.toml, sweep.json, seeds.csv, epochs.csv, errors.csv and runs/seedN. Whenever a seed ends its rows
/// are on disk before anything else is done, each file whole.
class SweepFolder {
 public:
  /// Begins a sweep, or goes on with the one that is there. Throws Error: usage when another sweep is at work in it, when it holds other things, or
  /// when recipe, data or fingerprint differ from what it was begun with; data when it cannot be read or written.
  SweepFolder(std::filesystem::path folder, const Config& recipe, const SweepIdentity& identity);

  const SweepRecord& record() const { return record_; }
  bool has(std::uint64_t seed) const { return done_.contains(seed); }
  void add(SeedOutcome outcome);

 private:
  void take_rows_on_disk();
  void go_on(const Config& recipe, const SweepIdentity& identity);

  std::filesystem::path folder_;
  std::optional<FolderLock> lock_;
  SweepRecord record_;
  std::set<std::uint64_t> done_;
};

/// Throws Error: usage when the sweep in `folder` was begun with another recipe, data when its config.toml cannot be read.
void check_same_recipe(const std::filesystem::path& folder, const Config& recipe);

}  // namespace mnist_dist
