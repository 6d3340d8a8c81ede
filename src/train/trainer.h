#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "base/folder_lock.h"
#include "comm/communicator.h"
#include "config/config.h"
#include "engine/engine.h"
#include "train/checkpoint.h"
#include "train/local_data.h"
#include "train/observer.h"
#include "train/provenance.h"

namespace mnist_dist {

/// One training run on a group of ranks. Everything here is collective.
struct TrainerOptions {
  const Config& config;
  const LocalData& data;
  Provenance provenance = {};    ///< for the records
  std::string computed_by = {};  ///< for the checkpoint (train/computation.h)
  Reducer* reducer = nullptr;    ///< of vectors on a GPU. Null: the group adds the vectors
  std::filesystem::path folder =
      {};  ///< for checkpoints. Empty: none are written (rank 0 alone writes)
  const FolderLock* lock = nullptr;  ///< the folder's, on rank 0: nothing is written into another
                                     ///< one that took its place
  std::optional<Checkpoint> resume = {};  ///< where to continue. The same on every rank
  BetweenSteps between_steps = {};        ///< empty: nothing stops the run
  std::vector<Observer*> observers = {};  ///< on rank 0, called in this order
  Normalisation normalisation = {};       ///< of the data, for the checkpoint
  bool scored = true;  ///< false: only the weights matter, and nothing is evaluated
};

/// Trains to the end.
/// Collective over `comm`.
/// Throws: on every rank, Error (interrupted) after a checkpoint when a rank received a stop
/// request, Error (diverged) with step, learning rate, rank, shard and layer when a value stopped
/// being finite, Error (data) when the folder is lost at a stop. On rank 0 only, Error (data) for
/// files that cannot be written.
RunResult train(Communicator& comm, Engine& engine, const TrainerOptions& options);

}  // namespace mnist_dist
