#include "report/run_events.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/settings.h"
#include "report/run_mistakes.h"

namespace mnist_dist {

void RunEvents::started(const RunInfo& info) {
  info_ = info;
  const std::string scored = info.scored();
  const std::vector<std::string> judged{
      scored + (info.averaging ? "/averaged_accuracy" : "/accuracy"), scored + "/loss"};
  std::vector<Setting> settings = info.settings;
  settings.push_back({"recipe", info.recipe});
  settings.push_back({"seed", std::to_string(info.seed)});
  settings.push_back({"parameters", std::to_string(info.parameter_count)});
  if (!info.data.set.empty()) settings.push_back({"data", info.data.set});
  file_.emplace(info.folder, info.resumed_epoch + 1);
  file_->begin(settings, judged);
}

void RunEvents::epoch_ended(const EpochRow& row) {
  const std::string scored = info_.scored();
  std::vector<Scalar> values{{"train/loss", row.train.loss},
                             {"train/accuracy", row.train.accuracy}};
  if (row.test) {
    values.push_back({scored + "/loss", row.test->loss});
    values.push_back({scored + "/accuracy", row.test->accuracy});
  }
  if (row.averaged_test)
    values.push_back({scored + "/averaged_accuracy", row.averaged_test->accuracy});
  values.push_back({"learning_rate", row.learning_rate});
  values.push_back({"images_per_second", row.images_per_second});
  file_->scalars(row.epoch, values);
}

void RunEvents::finished(const RunResult& result) {
  const int epoch = static_cast<int>((result.steps + info_.steps_per_epoch - 1) /
                                     std::max(info_.steps_per_epoch, 1));
  const auto write = [&](const char* tag, const Canvas& canvas) {
    file_->image(epoch, tag, canvas.width, canvas.height, png_file(canvas));
  };
  if (!result.predictions.empty()) {
    if (const auto matrix = confusion_picture(result.predictions, info_.classes))
      write("confusion_matrix", *matrix);
    if (const auto mistakes = mistakes_picture(result.predictions, info_.data.file, info_.data.hash,
                                               info_.validation))
      write("mistakes", *mistakes);
  }
  file_->end(epoch, true);
  file_.reset();
}

void RunEvents::failed(const RunFailure& failure) noexcept {
  try {
    if (file_ && failure.code == ExitCode::diverged) file_->end(failure.epoch + 1, false);
  } catch (const std::exception&) {
    // The run's own error is the one to print.
  }
  file_.reset();
}

}  // namespace mnist_dist
