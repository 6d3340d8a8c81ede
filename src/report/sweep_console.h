#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "report/live_line.h"
#include "report/text_table.h"
#include "sweep/sweep.h"
#include "sweep/verdict.h"

namespace mnist_dist {

/// Prints a sweep: a first line and one aligned row per seed on stdout, and its progress on stderr,
/// live on a terminal, otherwise as a plain line from time to time.
class SweepConsole : public SweepObserver {
 public:
  /// `quiet`: prints nothing.
  SweepConsole(std::filesystem::path folder, bool quiet)
      : folder_(std::move(folder)), quiet_(quiet) {}
  void started(const SweepView& view) override;
  void seed_ended(const SeedOutcome& outcome) override;
  void tick(const SweepView& view) override;
  void tables_written(const SweepRecord& record) override;
  void ended() override { line_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::string progress_line(const SweepView& view) const;

  std::filesystem::path folder_;
  bool quiet_;
  Target target_{"0"};
  LiveLine line_;
  std::optional<TextTable> table_;
  Clock::time_point begin_, last_shown_;
};

/// The sweep's verdict as a line on stdout, PASS in green and FAIL in red where it is a terminal.
void print_headline(const SweepRecord& record, const Verdict& verdict);

}  // namespace mnist_dist
