#pragma once
#include <string>
#include <vector>

#include "report/text_table.h"
#include "sweep/tune.h"

namespace mnist_dist {

/// Prints a search: one line per candidate on stdout, with its settings.
class TuneConsole : public TuneObserver {
 public:
  /// `quiet`: prints nothing.
  explicit TuneConsole(bool quiet);
  void round_started(const TuneRound& round) override;
  void candidate_ended(const Candidate& candidate) override;

 private:
  TextTable table_;
  bool quiet_;
};

/// Of each candidate's sweep only how far it is, on stderr.
class TrialConsole : public SweepObserver {
 public:
  /// `quiet`: prints nothing.
  explicit TrialConsole(bool quiet) : quiet_(quiet) {}
  void seed_ended(const SeedOutcome& outcome) override;

 private:
  bool quiet_;
};

/// All candidates, best first. It fits into `columns` (0: any width).
std::string tuning_table(const std::vector<Candidate>& candidates, int columns);

}  // namespace mnist_dist
