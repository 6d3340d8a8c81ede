#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/engine.h"

namespace mnist_dist {

/// The best epoch so far.
struct Best {
  double accuracy = -1;  ///< percent. Below 0: nothing evaluated yet
  int epoch = 0;         ///< counted from 1
};

/// Everything a run needs to continue as if it had never stopped, on any number of ranks.
struct Checkpoint {
  std::string recipe;  ///< recipe_toml, must not change
  std::uint64_t seed = 0;
  std::string data_hash;
  std::string engine;  ///< with everything else that decides its bits, one per line. A resume with
                       ///< a different one prints a note
  std::uint32_t epoch = 0;  ///< counted from 0: the epoch under way
  int step = 0;             ///< steps of it that are done. 0 also after a whole number of epochs
  bool finished = false;
  double seconds = 0;        ///< spent on the run so far
  double epoch_seconds = 0;  ///< training time of the epoch under way
  Sums sums;                 ///< of the epoch under way, over all ranks
  Best best;
  TrainState state;
  // Empty in files of older versions.
  double data_mean = 0, data_sd = 0;  ///< the normalisation of the data, sd 0: not recorded
  std::string data_set;               ///< Dataset::name
  std::string initial_sha256;         ///< weights_sha256 that --init-from began with
  std::string layout;                 ///< tensors in the vectors above, as layout_json
};

/// Writes folder/checkpoint.h5 atomically and keeps the one before it, unless it is damaged, as
/// checkpoint.prev.h5.
/// Throws: Error (data).
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// Reads one checkpoint file.
/// Throws: Error (data), with this hint: missing, damaged (every byte is under a SHA-256), not a
/// checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& file,
                           const std::string& hint = "name a checkpoint.h5 of a run folder");

/// The newest whole checkpoint in a run folder: checkpoint.h5, otherwise checkpoint.prev.h5, with
/// `fallback` set to why. Nothing without either file.
/// Throws: Error (data) when all existing ones are damaged.
struct Found {
  Checkpoint checkpoint;
  std::string fallback;  ///< why the newest one was not used. Empty when it was
};
std::optional<Found> newest_checkpoint(const std::filesystem::path& folder);

/// How far a run is: "epoch 3 step 120", or "epoch 2" at its end. `epoch` counts whole epochs,
/// `step` the steps done since.
std::string place_text(std::uint32_t epoch, int step);

/// To bytes and back, to send one to ranks that do not see the run folder.
std::vector<std::byte> pack(const Checkpoint& checkpoint);
Checkpoint unpack(std::span<const std::byte> bytes);

/// SHA-256, hexadecimal, of parameters, then norm statistics, float32 little-endian, in ModelSpec
/// order.
std::string weights_sha256(std::span<const float> parameters,
                           std::span<const float> norm_statistics);

}  // namespace mnist_dist
