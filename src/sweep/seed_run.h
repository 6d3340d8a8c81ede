#pragma once
#include <filesystem>
#include <vector>

#include "sweep/worker.h"
#include "train/computation.h"
#include "train/run_files.h"

namespace mnist_dist {

/// The files of seeds' runs besides the usual ones, on a group's rank 0.
struct SeedFiles {
  std::string recipe;                ///< as results name it
  WritePage write_page = {};         ///< as RunFiles'
  std::vector<Observer*> observers;  ///< of each run
};

/// Trains `config.train.seed` on `data` in `folder`, as `train --run-dir` would, or continues from
/// its checkpoint. A run that had finished is scored again. Divergence is an outcome.
/// Collective over `group`, whose rank 0 has the folder's `lock`.
/// Throws: on every rank, Error (interrupted), Error (data) when the lock is lost at a stop, Error
/// (usage) when the folder's run was started with other data.
SeedOutcome run_seed(Communicator& group, const Session& session, Computation& computation,
                     const LocalData& data, const Config& config,
                     const std::filesystem::path& folder, const FolderLock* lock,
                     const SeedFiles& files, const BetweenSteps& between_steps);

/// SHA-256 of the parameters after 50 steps of a fixed seed: it distinguishes programs and machines
/// with different bits. `computation` must have been made for `config`, a fingerprint_config.
/// Collective.
Config fingerprint_config(const Config& recipe);
std::string fingerprint(Communicator& group, const Session& session, Computation& computation,
                        const Config& config);

}  // namespace mnist_dist
