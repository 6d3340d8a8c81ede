#pragma once
#include <filesystem>
#include <optional>

#include "base/lease.h"

namespace mnist_dist {

/// Keeps other processes, on any host, out of a folder for as long as it lives: a lease in it. A
/// folder that cannot be written to is not locked, because no process can work in it.
class FolderLock {
 public:
  enum class IfTaken { reject, wait };
  /// Takes over from a process that was killed: at once on the same node, after watching its lease
  /// from another one.
  /// Throws: Error: usage when another process works in the folder (unless it is to wait), data
  /// when the lease cannot be written, interrupted when a stop is requested while it waits.
  explicit FolderLock(const std::filesystem::path& folder, LeasePace pace = {},
                      IfTaken if_taken = IfTaken::reject);
  /// With the lease at lease_file(folder), which its caller has taken.
  FolderLock(std::filesystem::path folder, Lease lease);

  /// Whether check_in_place throws nothing.
  bool in_place() const { return !lease_ || lease_->in_place(); }
  /// How much of the work in the folder is done, 0 to 1, for lease_share.
  void set_share(double share);

  /// Throws: Error (data) when the locked folder is no longer the one at its path, or another
  /// process has taken it over. Files written to that path would be another process's, or in a new
  /// folder.
  void check_in_place() const;

 private:
  std::filesystem::path path_;
  std::optional<Lease> lease_;
};

/// The lease that locks a folder.
std::filesystem::path lease_file(const std::filesystem::path& folder);

/// Whether a file of a folder belongs to its lock.
bool is_of_lock(const std::filesystem::path& file);

}  // namespace mnist_dist
