#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mnist_dist {

/// One run, sweep or search of a folder of runs.
struct ListedRun {
  std::string name;      ///< of its folder
  std::string recipe;    ///< as results name it
  std::string seeds;     ///< "7", a sweep's "0..99", "" for a search
  std::string progress;  ///< "epoch 3/14", "12/100 seeds"
  /// running, killed, stopped, finished, max_steps, diverged, failed, or a sweep's PASS, FAIL,
  /// INCOMPLETE, or "damaged" with the reason in `result`.
  std::string status;
  std::string layer;   ///< where it diverged
  std::string result;  ///< "99.46 %"
  std::filesystem::path folder;
  std::string data_set;            ///< "SYNTHETIC" for drawn digits, "" for MNIST
  std::optional<double> accuracy;  ///< in percent: the final one, or the mean of a sweep's seeds
};

/// The runs, sweeps and searches in a folder, the newest first. Other folders are left out. A run's
/// or sweep's own folder: that one.
std::vector<ListedRun> list_runs(const std::filesystem::path& folder);

/// A table that fits into `columns` (0: any width): the least important columns are left out first.
std::string runs_table(const std::vector<ListedRun>& runs, int columns);
/// The same as a JSON array.
std::string runs_json(const std::vector<ListedRun>& runs);

}  // namespace mnist_dist
