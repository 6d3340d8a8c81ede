#include "train/run_files.h"

#include "base/file.h"
#include "base/provenance.h"
#include "base/version.h"
#include "train/run_status.h"
#include "train/run_summary.h"

namespace mnist_dist {
namespace {

/// Training images / training time over the rows: each with `images_per_epoch` but the last, with
/// `last_images`. 0 where no row has a rate.
double mean_rate(const std::vector<EpochRow>& rows, std::int64_t images_per_epoch,
                 std::int64_t last_images) {
  double images = 0, seconds = 0;
  for (const EpochRow& row : rows) {
    if (!(row.images_per_second > 0)) continue;  // of an earlier version's checkpoint
    const auto mine = static_cast<double>(&row == &rows.back() ? last_images : images_per_epoch);
    images += mine;
    seconds += mine / row.images_per_second;
  }
  return seconds > 0 ? images / seconds : 0;
}

}  // namespace

RunFiles::RunFiles(std::filesystem::path folder, WritePage write_page)
    : folder_(std::move(folder)), write_page_(std::move(write_page)) {}

void RunFiles::write_metrics() const {
  std::string text = metrics_header(info_.scored());
  for (const EpochRow& row : rows_) text += metrics_line(row);
  write_file_atomically(folder_ / "metrics.csv", text);
}

void RunFiles::write_status_now(const std::string& state, int epoch, int step,
                                const std::string& message) const {
  RunStatus status;
  status.state = state;
  status.epoch = epoch;
  status.step = step;
  status.epochs = info_.epochs;
  status.all_steps = std::int64_t{info_.epochs} * info_.steps_per_epoch;
  status.data = data_name(info_.data);
  status.message = message;
  status.layer = layer_in(message);
  status.updated = utc_now();
  write_status(folder_, status);
}

void RunFiles::started(const RunInfo& info) {
  info_ = info;
  const auto file = folder_ / "metrics.csv";
  if (info.resumed_epoch > 0 && std::filesystem::exists(file))
    rows_ = rows_before(info.resumed_epoch + 1, read_text_file(file), info.scored());
  write_metrics();
  last_epoch_images_ = info.images_per_epoch;
  write_status_now("running", info.resumed_epoch, info.resumed_step);
}

void RunFiles::epoch_ended(const EpochRow& row) {
  rows_.push_back(row);
  write_metrics();
  last_epoch_images_ = row.train.images;
  write_status_now("running", row.epoch, 0);
}

void RunFiles::failed(const RunFailure& failure) noexcept {
  try {
    if (info_.steps_per_epoch == 0) info_ = failure.info;
    const bool diverged = failure.code == ExitCode::diverged;
    write_status_now(failure.code == ExitCode::interrupted ? "stopped"
                     : diverged                            ? "diverged"
                                                           : "failed",
                     failure.epoch, failure.step, failure.message);
    // A stop must be quick, and a failed write must not be tried again.
    if (diverged && write_page_) write_page_(folder_, "");
  } catch (const std::exception&) {
    // The run's own error is the one to print.
  }
}

void RunFiles::finished(const RunResult& result) {
  if (write_page_ && !result.predictions.empty())
    write_file_atomically(folder_ / "predictions.csv", predictions_csv(result.predictions));
  const std::int64_t all = std::int64_t{info_.epochs} * info_.steps_per_epoch;
  const bool whole = result.steps >= all;
  RunSummary summary{info_};
  summary.seed = info_.seed;
  summary.steps = result.steps;
  summary.final = result.final;
  summary.best = result.best;
  summary.averaged = info_.averaging;
  summary.parameters_sha256 = result.parameters_sha256;
  summary.raw_parameters_sha256 = result.raw_parameters_sha256;
  summary.ranks = info_.ranks;
  summary.ended = utc_now();
  summary.seconds = result.seconds;
  summary.images_per_second = mean_rate(rows_, info_.images_per_epoch, last_epoch_images_);
  summary.stopped_by = whole ? "" : "train.max_steps";
  summary.initial_parameters_sha256 = result.initial_sha256;
  summary.engine.versions["mnist-dist"] = full_version();
  const std::string text = summary_json(summary);
  const std::int64_t epoch = info_.steps_per_epoch > 0 ? result.steps / info_.steps_per_epoch : 0;
  write_status_now(whole ? "finished" : "max_steps", static_cast<int>(epoch),
                   static_cast<int>(result.steps - epoch * info_.steps_per_epoch));
  if (write_page_) write_page_(folder_, text);
  // Last: a run without its summary is resumed, and writes all of them again.
  write_file_atomically(folder_ / "summary.json", text);
}

}  // namespace mnist_dist
