#pragma once
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "comm/device_reducer.h"
#include "config/config.h"
#include "data/augment.h"
#include "data/data_name.h"
#include "data/progress.h"
#include "train/local_data.h"

namespace mnist_dist {

/// Where and how fast to compute. Never part of a recipe.
struct ComputeOptions {
  std::string engine;           ///< "" : the default for the device
  std::string device = "auto";  ///< auto, cpu, cuda
  std::string simd;             ///< force a SIMD target. "": the best of this rank's CPU
  int threads = 0;  ///< per rank. 0: all cores of the binding for a single process, otherwise 1
  DeviceCommOptions comm;  ///< between GPUs. The timeout is the recipe's
  bool replay = true;      ///< on a GPU: record a step once and replay it
  bool per_slice = false;  ///< on a GPU: the same bits for any number of ranks, more slowly
};

/// The data of a rank of a group, and how it computes. Data, recipe and options are verified to be
/// the same on all ranks.
struct Session {
  LocalData data;
  DataSource source;
  Normalisation normalisation;
  ComputeOptions compute;
  std::string engine;  ///< its name
  int gpu = 0;         ///< CUDA's number of it, for an engine on a GPU
  int threads = 1;     ///< per rank
};

/// Scoring needs this rank's shares of the test set and no training rows.
enum class SessionPurpose { training, scoring };

/// Makes the default data file when it is missing (rank 0, the others wait), reads this rank's
/// rows, chooses the engine and compares the ranks. `normalisation`: that of a trained network,
/// instead of the data file's.
/// Collective.
/// Throws: Error: usage for more ranks than shards or slices too short for batch norm, data, device
/// when ranks disagree.
Session make_session(Communicator& comm, const Config& config, const ComputeOptions& compute,
                     const Progress& progress, SessionPurpose purpose = SessionPurpose::training,
                     std::optional<Normalisation> normalisation = {});

/// The same for several groups that train apart: `group` shares the rows among its ranks, all of
/// `world` must be able to give the same bits.
Session make_session(Communicator& world, Communicator& group, const Config& config,
                     const ComputeOptions& compute, const Progress& progress,
                     SessionPurpose purpose = SessionPurpose::training,
                     std::optional<Normalisation> normalisation = {});

}  // namespace mnist_dist
