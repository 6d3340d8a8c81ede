#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "report/run_charts.h"
#include "train/predictions.h"

namespace mnist_dist {

/// A run or a sweep as one side of a comparison. A run is a sweep of one seed.
struct Contestant {
  std::string label;  ///< "A"
  std::filesystem::path folder;
  std::string recipe;  ///< as results name it
  std::optional<Config> config;
  std::string state;  ///< of a run as state_of, of a sweep "complete" or "incomplete"
  std::string place;  ///< where a run that has no result ended, or how far it is
  std::map<std::uint64_t, double> accuracies;  ///< final, in percent, by seed
  int diverged = 0;                            ///< seeds
  std::int64_t images = 0;                     ///< scored. 0: not known
  std::string scored;                          ///< "MNIST, test set"
  std::string data;                            ///< data_name
  std::string data_hash;                       ///< "": not known
  std::size_t parameter_count = 0;
  double seconds = 0;                                     ///< per seed, mean
  std::vector<std::pair<double, double>> accuracy, loss;  ///< mean over seeds by epoch
  std::vector<Prediction> predictions;                    ///< of a run

  bool has_result() const { return !accuracies.empty(); }
  /// "diverged at epoch 1 step 4 in layer 3 (conv = 12)", "2 diverged". "": it is complete.
  std::string state_text() const;
};

/// Reads a folder of `train` or `sweep`.
/// Throws: Error: usage when it holds neither, data when it is damaged.
Contestant read_contestant(const std::filesystem::path& folder, std::string label);

}  // namespace mnist_dist
