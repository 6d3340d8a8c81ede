#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "events/event_file.h"
#include "train/observer.h"

namespace mnist_dist {

/// Fields of summary.json besides the result.
struct RunIdentity {
  std::string recipe;
  std::uint64_t seed = 0;
  std::size_t parameter_count = 0;
  std::string data_file, data_hash;
  std::string data_set = {};  ///< Dataset::name
  bool synthetic = false;     ///< drawn digits: not a result on MNIST
  std::string command;        ///< as the user typed it
  int classes = class_count;
  std::vector<Setting> settings = {};  ///< of the recipe, for viewers
};

/// Files of a run's folder besides those that a resume needs.
struct RunOutputs {
  bool page = true;         ///< predictions.csv and report.html, when the run ends
  bool tensorboard = true;  ///< events.out.tfevents.*
};

/// Keeps a run folder's metrics.csv (one row per epoch, on disk when the epoch ends), status.json,
/// and when the run ends predictions.csv, summary.json and report.html.
class RunFiles : public Observer {
 public:
  /// A resumed run keeps the rows of the epochs before `first_epoch` (counted from 1) and removes
  /// later ones, because the checkpoint is older.
  RunFiles(std::filesystem::path folder, RunIdentity identity, int first_epoch = 1,
           RunOutputs outputs = {});
  void started(const RunInfo& info) override;
  void epoch_ended(const EpochRow& row) override;
  void finished(const RunResult& result) override;
  void failed(const RunFailure& failure) noexcept override;

 private:
  void write_status_now(const std::string& state, int epoch, int step,
                        const std::string& message = "") const;
  void write_events_of_the_end(const RunResult& result);
  void write_page(const std::string& summary = "") const;

  std::filesystem::path folder_;
  RunIdentity identity_;
  RunInfo info_;
  int first_epoch_;
  RunOutputs outputs_;
  std::optional<EventFile> events_;
  std::int64_t last_epoch_images_ = 0;
  std::string metrics_;  ///< the whole metrics.csv
  std::string started_at_;
};

/// Training images / training time over the rows of a metrics.csv: each with `images_per_epoch` but
/// the last, with `last_images`. 0 where no row has a rate, or one is damaged.
double mean_rate(const std::string& text, std::int64_t images_per_epoch, std::int64_t last_images);
/// The rows of `text` before `first_epoch`: without the header, what is no row, and a last line
/// that was cut short.
std::string keep_rows_before(const std::string& text, int first_epoch);

}  // namespace mnist_dist
