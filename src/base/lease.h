#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/awake_clock.h"

namespace mnist_dist {

// The right to work on something, held by one process at a time: a small file that names its
// holder. It works between hosts that share a file system, also one without locks (NFS without
// lockd, FUSE), because it rests on three things that every file system has: a file is made by one
// of many, a rename replaces a file whole, and a read returns the last write.
//
// The holder renews its file every few seconds. A holder that was killed leaves the file. On the
// same node its process is looked up, and the next process takes over at once. From another node
// the file is watched: one that does not change for long is stale. Only the watcher's own clock is
// read, so clocks of hosts may differ.
//
// Two that find one lease stale cannot both take it over: the right to replace exactly this holder
// is a lease of its own, named after it, and the one that gets it looks again before it replaces
// the file.

struct LeasePace {
  std::chrono::milliseconds renewal{5000};
  std::chrono::milliseconds stale{30000};  ///< longer than a file server may stall
  /// Whether a process of this node that runs keeps a lease that it does not renew, as one that was
  /// stopped. Without it such a lease becomes stale too.
  bool running_keeps = true;
};

/// A lease that this process holds, renewed by a thread of its own until the end of its life, when
/// the file is removed.
class Lease {
 public:
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  /// Whether the file at its path still is this lease: its folder may have been moved, or a process
  /// that was stopped for long may have lost it.
  bool in_place() const;
  /// Of this holding, in hexadecimal digits: no other one has it.
  const std::string& id() const;
  /// How much of the work is done, 0 to 1. The next renewal writes it.
  void set_share(double share);

 private:
  friend class LeaseSeeker;
  class Holder;
  explicit Lease(std::unique_ptr<Holder> holder);
  std::unique_ptr<Holder> holder_;
};

/// The share that a lease's holder wrote last. Nothing where there is no lease.
std::optional<double> lease_share(const std::filesystem::path& file);

/// Whether a lease is probably held, at one look: its process runs on this node, or a process of
/// another node has renewed it lately by the clock of the file system. In a folder that cannot be
/// written to, this host's clock counts.
bool lease_is_held(const std::filesystem::path& file);

/// Tries to get the lease at a path. A lease is stale after `pace.stale` on `clock`, which counts a
/// gap between two looks at it as at most a quarter of a second. For many leases: share one clock,
/// read it several times per second, and try each lease rarely.
class LeaseSeeker {
 public:
  explicit LeaseSeeker(std::filesystem::path file, LeasePace pace = {},
                       std::shared_ptr<AwakeClock> clock = std::make_shared<AwakeClock>());

  /// One try, without waiting. Gives nothing when another process holds the lease or may hold it.
  /// Throws: Error (data) when the file cannot be written.
  std::optional<Lease> try_take();

  /// Of the last try: the holder certainly lives, as its process runs on this node or its file has
  /// changed.
  bool holder_lives() const { return holder_lives_; }
  /// "process 12 on host a": of the last holder seen.
  const std::string& holder() const { return holder_; }

 private:
  std::optional<Lease> take_over(const std::string& stale_text, const std::string& stale_id);

  std::filesystem::path file_;
  LeasePace pace_;
  std::string seen_, holder_;
  bool holder_lives_ = false;
  std::shared_ptr<AwakeClock> clock_;
  std::optional<double> unchanged_since_;
  std::unique_ptr<LeaseSeeker> right_;  ///< to replace the holder last seen
  std::filesystem::path right_file_;
};

}  // namespace mnist_dist
