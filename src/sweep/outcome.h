#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine_info.h"
#include "train/metrics.h"

namespace mnist_dist {

/// An image that a seed's delivered weights get wrong.
struct Mistake {
  int index = 0;  ///< in the test set. With data.split: row of the file's training set
  int label = 0, prediction = 0;
  bool operator==(const Mistake&) const = default;
};

/// Result of one seed. Accuracies in percent, of the test set or, with data.split, of the
/// validation rows.
struct SeedOutcome {
  std::uint64_t seed = 0;
  bool diverged = false;  ///< then only seed, group, ranks and message have values
  std::string message;    ///< why it diverged
  double final_accuracy = 0, final_loss = 0;
  std::int64_t final_correct = 0, images = 0;  ///< of the weights the run delivers
  double raw_accuracy =
      0;  ///< of the weights without averaging. The same where the recipe does not average
  double best_accuracy = 0;  ///< over the epochs: optimistic
  int best_epoch = 0;
  double seconds = 0;  ///< over all resumes
  int group = 0, ranks = 1, threads = 1;
  EngineInfo engine;  ///< of a row that was read: name, SIMD target and device alone
  std::string parameters_sha256, raw_parameters_sha256;
  std::vector<EpochRow> epochs;  ///< of the run's metrics.csv
  std::vector<Mistake> mistakes;
};

}  // namespace mnist_dist
