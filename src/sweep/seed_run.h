#pragma once
#include <filesystem>
#include <functional>
#include <memory>

#include "sweep/worker.h"
#include "train/observer.h"
#include "train/session.h"

namespace mnist_dist {

/// Makes the observer that writes a seed's run folder, on a group's rank 0. `first_epoch` counts
/// from 1, above 1 when the run continues.
using MakeObserver = std::function<std::unique_ptr<Observer>(
    const std::filesystem::path& folder, const Config& config, const Session& session,
    int first_epoch)>;

/// Trains `config.train.seed` on `data` in `folder`, as `train --run-dir` would, or continues from
/// its checkpoint. The result of a finished run is computed again. Divergence is an outcome.
/// Collective over `group`, whose rank 0 has the folder's `lock`.
/// Throws: on every rank, Error (interrupted), Error (data) when the lock is lost at a stop, Error
/// (usage) when the folder's run was started with other data.
SeedOutcome run_seed(Communicator& group, const Session& session, const LocalData& data,
                     const Config& config, const std::filesystem::path& folder,
                     const FolderLock* lock, const MakeObserver& make_observer,
                     const BetweenSteps& between_steps);

/// SHA-256 of the parameters after 50 steps of a fixed seed: it distinguishes programs and machines
/// with different bits. Uses session.engine, which must have been made for `fingerprint_config`.
/// Collective.
Config fingerprint_config(const Config& recipe);
std::string fingerprint(Communicator& group, const Session& session, const Config& config);

}  // namespace mnist_dist
