#pragma once
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/folder_lock.h"
#include "comm/communicator.h"

namespace mnist_dist {

/// A run's folder. Rank 0 alone writes into it, and may lose it: it is moved, or a different
/// process takes it over.
class HeldFolder {
 public:
  /// `lock`: the folder's, on rank 0. Null: it is never lost.
  HeldFolder(Communicator& comm, const FolderLock* lock) : comm_(comm), lock_(lock) {}

  /// The error of rank 0 when the folder is no longer its own.
  std::optional<Error> lost() const;

  /// Collective.
  /// Throws: Error (data) on every rank when the folder is lost, so that no rank waits for the
  /// others.
  void check() const;

  /// Calls `work`, which writes into the folder. Where it fails because the folder is lost, the
  /// next check reports that on all ranks.
  /// Throws: the work's other errors.
  void write(const std::function<void()>& work);
  /// The same, but for work that is skipped where the folder is lost.
  void write_if_held(const std::function<void()>& work);

  /// Whether rank 0 saw, when it wrote, that the folder is lost.
  bool is_lost() const { return is_lost_; }

 private:
  Communicator& comm_;
  const FolderLock* lock_;
  bool is_lost_ = false;
};

}  // namespace mnist_dist
