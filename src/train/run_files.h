#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "train/observer.h"

namespace mnist_dist {

/// Writes report.html into a run's folder. `summary`: the text of the summary.json that is about to
/// be written. Empty: the run has none.
using WritePage =
    std::function<void(const std::filesystem::path& folder, const std::string& summary)>;

/// Keeps a run folder's metrics.csv (one row per epoch, on disk when the epoch ends), status.json,
/// and when the run ends predictions.csv, report.html and summary.json. A resumed run keeps the
/// rows of the epochs before it and removes later ones, because the checkpoint is older.
class RunFiles : public Observer {
 public:
  /// Without `write_page` the run has neither predictions.csv nor report.html.
  explicit RunFiles(std::filesystem::path folder, WritePage write_page = {});
  void started(const RunInfo& info) override;
  void epoch_ended(const EpochRow& row) override;
  void finished(const RunResult& result) override;
  void failed(const RunFailure& failure) noexcept override;

  /// The rows of metrics.csv, whose file a different process may change.
  const std::vector<EpochRow>& rows() const { return rows_; }

 private:
  void write_metrics() const;
  void write_status_now(const std::string& state, int epoch, int step,
                        const std::string& message = "") const;

  std::filesystem::path folder_;
  WritePage write_page_;
  RunInfo info_;
  std::int64_t last_epoch_images_ = 0;
  std::vector<EpochRow> rows_;
};

}  // namespace mnist_dist
