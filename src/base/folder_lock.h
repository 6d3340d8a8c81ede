#pragma once
#include <filesystem>

#include "base/descriptor.h"

namespace mnist_dist {

/// Keeps other processes on this host out of a folder for as long as it lives (flock; a file system without locks lets everybody in).
class FolderLock {
 public:
  /// Throws Error (usage) when another process holds it.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  Descriptor folder_;
};

}  // namespace mnist_dist
