#pragma once
#include <optional>

#include "events/event_file.h"
#include "train/observer.h"

namespace mnist_dist {

/// Writes each run's event file for TensorBoard into the run's folder: scores per epoch, and when
/// the run ends the confusion matrix and mistakes as pictures. Goes before RunFiles in the list of
/// observers, so that a run with a summary has whole event files.
class RunEvents : public Observer {
 public:
  void started(const RunInfo& info) override;
  void epoch_ended(const EpochRow& row) override;
  void finished(const RunResult& result) override;
  void failed(const RunFailure& failure) noexcept override;

 private:
  RunInfo info_;
  std::optional<EventFile> file_;
};

}  // namespace mnist_dist
