#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "config/config.h"
#include "data/augment.h"
#include "train/checkpoint.h"

namespace mnist_dist {

/// A trained network as evaluate, predict, export and --init-from take it.
struct Trained {
  std::filesystem::path file;  ///< the checkpoint
  std::string fallback;        ///< why it is not a run folder's newest one. Otherwise empty
  Checkpoint checkpoint;
  Config config;  ///< the checkpoint's recipe

  bool averages() const { return !checkpoint.state.average_parameters.empty(); }
  /// The delivered weights (averaged), or those of the last step (raw). The same where the recipe
  /// does not average.
  std::span<const float> parameters(Weights weights) const;
  std::span<const float> norm_statistics(Weights weights) const;
  /// weights_sha256 of them.
  std::string sha256(Weights weights) const;
  /// "the end", "the end that train.max_steps set, step 3", or place_text.
  std::string trained_to() const;
};

/// Opens a run folder (its newest whole checkpoint) or a checkpoint file.
/// Throws: Error (data): missing, damaged, neither of both, or weights that do not fit the recipe.
Trained open_trained(const std::filesystem::path& run_or_checkpoint);

/// How the pixels of its training data were normalised.
/// Throws: Error (data) where an older version, which did not record it, trained on other data than
/// MNIST.
Normalisation normalisation_of(const Trained& trained);

}  // namespace mnist_dist
