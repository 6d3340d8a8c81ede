#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "report/live_line.h"
#include "report/live_page.h"
#include "report/text_table.h"
#include "sweep/sweep.h"
#include "sweep/verdict.h"

namespace mnist_dist {

/// What a person sees of a sweep: a first line and one aligned row a seed on stdout; on stderr how far it is, live where it is a terminal, else a
/// plain line now and then.
class SweepConsole : public SweepObserver {
 public:
  explicit SweepConsole(std::filesystem::path folder) : folder_(std::move(folder)), page_(folder_) {}
  void started(const SweepRecord& record) override;
  void seed_ended(const SeedOutcome& outcome) override;
  void tick(const SweepStatus& status) override;
  void ended() override { line_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::string progress_line(const SweepStatus& status) const;

  std::filesystem::path folder_;
  const SweepRecord* record_ = nullptr;
  Verdict verdict_;  ///< as the last seed left it
  LiveLine line_;
  LivePage page_;
  std::vector<std::size_t> shown_;  ///< columns of the table
  std::size_t done_before_ = 0;  ///< by earlier starts
  Clock::time_point begin_, last_shown_;
};

/// The sweep's verdict as a line on stdout, PASS in green and FAIL in red where it is a terminal.
void print_headline(const SweepRecord& record, const Verdict& verdict);

}  // namespace mnist_dist
