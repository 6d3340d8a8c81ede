#pragma once
#include <filesystem>

#include "base/folder_lock.h"
#include "config/config.h"
#include "sweep/record.h"

namespace mnist_dist {

// A sweep's folder is its queue: any number of processes on any hosts that share it may work in it
// at once. sweep.json has the sweep's identity and the seeds that were declared, config.toml the
// recipe. A seed has a run folder, whose lease is the claim on the seed (sweep/queue.h), and, when
// it has ended, a row file (sweep/row.h). The tables and the report are made from the row files.

/// In percent, of a sweep that was started without a target.
inline constexpr const char* default_target = "99.4";

/// Begins a sweep in `folder`, or adds `now.seeds` to the declaration of the sweep that it holds.
/// Returns the new contents of sweep.json. Rows of a sweep of an earlier version become row files.
/// Without `now.target` the sweep keeps its target.
/// Throws: Error: usage when the folder holds other things, or when recipe, data, fingerprint or
/// target differ from the sweep's, data when it cannot be read or written.
SweepIdentity open_sweep(const std::filesystem::path& folder, const Config& recipe,
                         const SweepIdentity& now);

/// Both sweeps as one: the seeds and declarations of both, target and start of `was`, all else of
/// `now`.
/// Throws: Error (usage) for too many seeds.
SweepIdentity joined(const SweepIdentity& was, const SweepIdentity& now);

/// Writes the rows of another sweep, in `from`, into the sweep in `folder`.
/// Throws: Error: internal when there is a different row of a seed, data when a row has no epochs
/// or mistakes, because `from` is without epochs.csv or errors.csv, or cannot be written.
void add_rows(const std::filesystem::path& folder, const std::filesystem::path& from,
              const SweepRecord& record);

/// Keeps other processes from opening the sweep and from writing its tables. Waits for those that
/// do.
FolderLock lock_sweep(const std::filesystem::path& folder);

/// How often the leases of sweeps are renewed, and when they are stale. Tests shorten it with the
/// variable MNIST_DIST_LEASE_SECONDS, after which a lease is stale. A process that was stopped
/// loses its seed, too.
/// Throws: Error (usage) when the variable is not a number from 0.5 to 3600.
LeasePace sweep_pace();

/// Throws: Error: usage when the sweep in `folder` has a different recipe, data when its
/// config.toml cannot be read.
void check_same_recipe(const std::filesystem::path& folder, const Config& recipe);

}  // namespace mnist_dist
