#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/observer.h"

namespace mnist_dist {

/// What summary.json says besides the result.
struct RunIdentity {
  std::string recipe;
  std::uint64_t seed = 0;
  std::size_t parameter_count = 0;
  std::string data_file, data_hash;
  bool synthetic = false;  ///< drawn digits: never to be taken for a result on MNIST
  std::string command;     ///< as the user typed it
};

/// Keeps a run folder's metrics.csv (a row an epoch, on disk when the epoch ends) and summary.json (when the run ends).
class RunFiles : public Observer {
 public:
  /// A resumed run keeps the rows of the epochs before `first_epoch` (counted from 1) and forgets later ones: the checkpoint does not know them.
  RunFiles(std::filesystem::path folder, RunIdentity identity, int first_epoch = 1);
  void started(const RunInfo& info) override;
  void epoch_ended(const EpochRow& row) override;
  void finished(const RunResult& result) override;

 private:
  std::filesystem::path folder_;
  RunIdentity identity_;
  RunInfo info_;
  int first_epoch_;
  std::string metrics_;  ///< the whole metrics.csv
  std::string started_at_;
};

/// Columns of metrics.csv; `what` is "test" or "validation".
std::string metrics_header(const std::string& what);
std::string metrics_row(const EpochRow& row);
/// The rows of `text` before `first_epoch`: without the header, what is no row, and a last line that was cut short.
std::string keep_rows_before(const std::string& text, int first_epoch);

}  // namespace mnist_dist
