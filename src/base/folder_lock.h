#pragma once
#include <filesystem>

#include "base/descriptor.h"

namespace mnist_dist {

/// Keeps other processes on this host out of a folder for as long as it lives (flock; a file system without locks lets everybody in).
class FolderLock {
 public:
  /// Throws Error (usage) when another process holds it.
  explicit FolderLock(const std::filesystem::path& folder);

  /// Throws Error (data) when the locked folder is no longer the one at its path. The lock goes along with a folder that is moved or removed, a path
  /// does not: whatever is written by it would be another process's, or a new folder's.
  void check_in_place() const;

 private:
  std::filesystem::path path_;
  Descriptor folder_;
};

}  // namespace mnist_dist
