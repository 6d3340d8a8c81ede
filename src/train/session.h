#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "comm/device_communicator.h"
#include "config/config.h"
#include "data/dataset.h"
#include "engine/engine.h"
#include "train/local_data.h"

namespace mnist_dist {

/// Where and how fast to compute. Never part of a recipe.
struct ComputeOptions {
  std::string engine;           ///< "" : the default for the device
  std::string device = "auto";  ///< auto, cpu, cuda
  std::string simd;             ///< force a SIMD target. "": the best of this rank's CPU
  int threads = 0;  ///< per rank. 0: all cores of the binding for a single process, otherwise 1
  DeviceCommOptions comm;  ///< between GPUs. The timeout is the recipe's
  bool record = true;      ///< on a GPU: record a step once and replay it
  bool per_slice = false;  ///< on a GPU: the same bits for any number of ranks, more slowly
};

/// Data, this rank's rows and an engine, to train or score with. Data, recipe and options are
/// verified to be the same on all ranks of a group.
struct Session {
  LocalData data;
  std::string data_hash;
  std::string computed_by;  ///< engine, libraries and options that decide a result's bits besides
                            ///< recipe, seed and data, one per line
  bool synthetic = false;
  std::string data_set;  ///< Dataset::name
  int threads = 1;
  std::string engine_name;
  EngineOptions engine_options;
  std::unique_ptr<Communicator> device_group;  ///< the group as the engine's reductions need it,
                                               ///< where its vectors lie on a GPU
  std::unique_ptr<Engine> engine;              ///< refers to `data`

  /// The communicator to train with: the GPU one if there is one, otherwise `group`.
  Communicator& trains_through(Communicator& group) const {
    return device_group ? *device_group : group;
  }

  /// One more engine of the same kind, for another seed of the recipe.
  std::unique_ptr<Engine> engine_for_seed(std::uint64_t seed) const;
};

/// Purpose of a session. Scoring needs this rank's shares of the test set and no training rows.
enum class Use { training, scoring };

/// Makes the default data file when it is missing (rank 0, the others wait), reads this rank's
/// rows, makes the engine and compares the ranks. `normalisation`: that of a trained network,
/// instead of the data file's. Collective. Throws Error: usage for more ranks than shards or slices
/// too short for batch norm, data, device when ranks disagree.
std::unique_ptr<Session> make_session(Communicator& comm, const Config& config,
                                      const ComputeOptions& compute,
                                      const std::function<void(const std::string& line)>& progress,
                                      Use use = Use::training,
                                      std::optional<Normalisation> normalisation = {});

/// The same for several groups that train apart: `group` shares the rows among its ranks, all of
/// `world` must be able to give the same bits.
std::unique_ptr<Session> make_session(Communicator& world, Communicator& group,
                                      const Config& config, const ComputeOptions& compute,
                                      const std::function<void(const std::string& line)>& progress,
                                      Use use = Use::training,
                                      std::optional<Normalisation> normalisation = {});

/// Whether a checkpoint's `computed_by` promises the bits of this program's. Older checkpoints have
/// the first line alone, and name AVX-512 where the same arithmetic now runs on every SIMD target.
bool computes_the_same(const std::string& recorded, const std::string& now);

}  // namespace mnist_dist
