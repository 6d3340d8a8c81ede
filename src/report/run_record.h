#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "train/metrics.h"
#include "train/predictions.h"
#include "train/run_status.h"
#include "train/run_summary.h"

namespace mnist_dist {

/// A run's folder, read and checked, for pages, lists and comparisons.
struct RunRecord {
  std::filesystem::path folder;
  std::optional<Config> recipe;  ///< of a run that is not finished: nothing when it cannot be read
  std::string recipe_text;       ///< config.toml
  /// Defaults where no file has the value. Of a run that has not ended: recipe, seed, data,
  /// parameter_count and validation alone.
  RunSummary summary{{.recipe = "?", .threads = 0}};
  std::string data;              ///< data_name, "": not known
  std::vector<EpochRow> epochs;  ///< metrics.csv
  Curve curve;
  RunStatus status;  ///< "" for its state: a run of an earlier version that did not end

  double final_accuracy =
      -1;                   ///< percent, of the delivered weights. Below 0: nothing is scored yet
  std::int64_t images = 0;  ///< that were scored. 0: not known

  // Of a run that has ended.
  bool ended = false;
  std::vector<std::pair<std::string, std::string>> lines;  ///< all of summary.json
  std::vector<Prediction> predictions;                     ///< predictions.csv, if it exists
};

/// Whether a process probably works in the folder of a run or a sweep.
bool is_worked_in(const std::filesystem::path& folder);

/// The state of RunStatus, but "killed" where nothing works on a run that is neither ended nor
/// stopped.
std::string state_of(const RunRecord& run);

/// Whether a folder holds a run.
bool is_run(const std::filesystem::path& folder);

/// Throws: Error: usage when it is no run folder, data when a file is damaged, contradicts another
/// one, or a finished run's summary is lost.
/// `summary`: the text of the summary.json that is about to be written. Empty: as the folder has
/// it.
RunRecord read_run(const std::filesystem::path& folder, const std::string& summary = "");

}  // namespace mnist_dist
