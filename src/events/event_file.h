#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "config/settings.h"

namespace mnist_dist {

struct Scalar {
  std::string tag;
  double value = 0;
};

/// The event file of a run's folder, events.out.tfevents.TIME.HOST, which TensorBoard reads while
/// it grows. Steps are epochs, counted from 1. All calls throw Error (data) when they cannot write.
class EventFile {
 public:
  /// Starts the file, or continues an existing one. Removes records of `first_epoch` and later
  /// epochs and an incomplete last record, so that no step appears twice.
  EventFile(std::filesystem::path folder, int first_epoch);

  /// The run's hyperparameters and the tags that it is judged by. Once per file.
  void begin(const std::vector<Setting>& hyperparameters, std::span<const std::string> metrics);
  void scalars(int epoch, std::span<const Scalar> values);
  /// `png`: an encoded RGB image.
  void image(int epoch, const std::string& tag, int width, int height, std::string png);
  void end(int epoch, bool success);

 private:
  void append(const std::string& bytes) const;

  std::filesystem::path file_;
  bool begun_ = false;
};

}  // namespace mnist_dist
