#pragma once
#include <chrono>
#include <filesystem>
#include <optional>

#include "sweep/verdict.h"

namespace mnist_dist {

/// A sweep's report.html while the sweep runs. The browser loads it again and again. It is written
/// seldom enough to cost at most one percent of the time.
class LivePage {
 public:
  explicit LivePage(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// Writes the page where it is due. What cannot be written is left: the page at the sweep's end
  /// reports it.
  void update(const SweepRecord& record, const Verdict& verdict);

 private:
  using Clock = std::chrono::steady_clock;
  std::filesystem::path folder_;
  std::optional<Clock::time_point> due_;
};

}  // namespace mnist_dist
