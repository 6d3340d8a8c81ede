#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/predictions.h"
#include "train/provenance.h"

namespace mnist_dist {

/// Facts of a run before its first step.
struct RunInfo : Provenance {
  std::filesystem::path folder = {};  ///< empty: the run has none
  std::uint64_t seed = 0;
  int classes = class_count;
  std::vector<Setting> settings = {};  ///< of the recipe, for viewers
  int steps_per_epoch = 0;
  std::int64_t total_steps = 0;
  std::int64_t images_per_epoch = 0;
  int ranks = 1;
  bool averaging = false;
  int resumed_epoch = 0, resumed_step = 0;  ///< where a resumed run continues. 0, 0 for a new one
};

/// Result of a run.
struct RunResult {
  Score final;  ///< of the delivered weights: the averaged ones where the recipe averages, after
                ///< the last step. The headline.
  Score raw;    ///< of the weights without averaging
  Best best;  ///< of the same weights, over evaluated epochs. Optimistic, because it is selected by
              ///< this score
  std::string parameters_sha256, raw_parameters_sha256;
  std::string initial_sha256;  ///< of the weights that it began with. Empty: random ones
  std::int64_t steps = 0;
  double seconds = 0;  ///< over all resumes
  /// Of the delivered weights, in row order. Empty where nothing is scored.
  std::vector<Prediction> predictions;
};

/// A run that ends before its last step.
struct RunFailure {
  ExitCode code = ExitCode::internal;  ///< interrupted, diverged or a different one
  std::string message;
  int epoch = 0, step = 0;  ///< whole epochs, and the steps since, that were done
  RunInfo info = {};        ///< for a run that fails before it started
};

/// Receives the events of a run, on rank 0 only: prints, draws, writes metrics. Called on the
/// training thread, so it should be quick.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(const RunInfo&) {}
  virtual void stepped(int /*epoch*/, int /*steps_done*/, const Sums& /*epoch_sums*/,
                       double /*epoch_seconds*/) {}
  virtual void evaluating(int /*epoch*/) {}
  virtual void epoch_ended(const EpochRow&) {}
  virtual void finished(const RunResult&) {}
  /// The run ends with an Error. Must not throw.
  virtual void failed(const RunFailure&) noexcept {}
};

/// Called on each rank before each step with the share of the run that is done, 0 to 1. True stops
/// the run after a checkpoint.
using BetweenSteps = std::function<bool(double share)>;

}  // namespace mnist_dist
