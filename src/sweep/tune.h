#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "config/space.h"
#include "sweep/sweep.h"

namespace mnist_dist {

struct TuneOptions {
  SearchSpace space;
  std::vector<std::string> settings;  ///< for every candidate, before its own
  std::uint64_t draw_seed = 1;        ///< of the random candidates
  int candidates = 16;
  int seeds = 2;  ///< per candidate in the first round, twice as many in each further one
  std::vector<int> split{
      50000, 10000};  ///< of the training images, where a recipe has no data.split of its own
  std::vector<std::string> recipe_folders;
  SweepOptions sweep;  ///< common to the candidates' sweeps. Its folder has a folder for each
};

/// A candidate and its results so far. Scores are of the validation rows, over its seeds.
struct Candidate {
  int index = 0;
  CandidateDraw draw;
  Config config;
  std::size_t parameters = 0;
  int rounds = 0;  ///< in which it took part
  int seeds = 0, diverged = 0;
  double mean = 0, sd = 0, min = 0,
         loss = 0;  ///< accuracies in percent, of the seeds that did not diverge
  bool scored() const { return seeds > diverged; }
};

/// Whether `a` did better: no divergence, then higher mean accuracy, then lower loss, then the
/// earlier one.
bool better(const Candidate& a, const Candidate& b);

/// tuning.csv: one row per candidate, best first, losers included.
std::string tuning_csv(const std::vector<Candidate>& candidates);

/// Receives the events of a search, on rank 0 of the world.
class TuneObserver {
 public:
  virtual ~TuneObserver() = default;
  virtual void round_started(int round, int candidates, int seeds) = 0;
  virtual void candidate_ended(const Candidate& candidate) = 0;
};

/// Random search with successive halving (Jamieson & Talwalkar, AISTATS 2016): every candidate
/// trains a few seeds on a part of the training images and is scored on the rest. The better half
/// continues with twice as many seeds, until one is left. The test set is never opened. Each
/// candidate is a sweep, so a result is on disk when its seed ends, and the same call continues an
/// unfinished search. Collective. Returns all candidates, best first (those of later rounds before
/// those that left earlier), on rank 0. Throws Error: usage for a space, recipe or folder that does
/// not fit, interrupted after a signal.
std::vector<Candidate> tune(Communicator& world, const TuneOptions& options,
                            TuneObserver* observer);

}  // namespace mnist_dist
