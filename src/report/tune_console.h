#pragma once
#include <string>
#include <vector>

#include "sweep/tune.h"

namespace mnist_dist {

/// Prints a search: one line per candidate on stdout, with its settings.
class TuneConsole : public TuneObserver {
 public:
  void round_started(int round, int candidates, int seeds) override;
  void candidate_ended(const Candidate& candidate) override;
};

/// Of each candidate's sweep only how far it is, on stderr.
class TrialConsole : public SweepObserver {
 public:
  void started(const SweepView&) override {}
  void seed_ended(const SeedOutcome& outcome) override;
  void tick(const SweepView&) override {}
  void tables_written(const SweepRecord&) override {}
  void ended() override {}
};

/// All candidates, best first.
std::string tuning_table(const std::vector<Candidate>& candidates);

}  // namespace mnist_dist
