#pragma once
#include <filesystem>
#include <set>
#include <utility>

#include "config/config.h"
#include "sweep/record.h"

namespace mnist_dist {

/// Keeps other processes from a folder until it is destroyed or the process ends, however it ends. A file system without locks is trusted.
class FolderLock {
 public:
  FolderLock() = default;
  /// Locks by means of a file that is there. Throws Error (usage) when another process has it.
  explicit FolderLock(const std::filesystem::path& file);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept { return std::swap(descriptor_, other.descriptor_), *this; }

 private:
  int descriptor_ = -1;
};

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
  void go_on(const Config& recipe, const SweepIdentity& identity);

  std::filesystem::path folder_;
  FolderLock lock_;
  SweepRecord record_;
  std::set<std::uint64_t> done_;
};

}  // namespace mnist_dist
