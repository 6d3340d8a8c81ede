#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "report/live_line.h"
#include "sweep/sweep.h"
#include "sweep/verdict.h"

namespace mnist_dist {

/// What a person sees of a sweep: a first line and one aligned row a seed on stdout; on stderr how far it is, live where it is a terminal, else a
/// plain line now and then.
class SweepConsole : public SweepObserver {
 public:
  explicit SweepConsole(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void started(const SweepView& view) override;
  void seed_ended(const SeedOutcome& outcome) override;
  void tick(const SweepView& view) override;
  void ended() override { line_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::string progress_line(const SweepView& view) const;

  std::filesystem::path folder_;
  Target target_{"0"};
  LiveLine line_;
  Clock::time_point begin_, last_shown_;
};

}  // namespace mnist_dist
