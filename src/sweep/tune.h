#pragma once
#include <map>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "config/space.h"
#include "sweep/statistics.h"
#include "sweep/sweep.h"

namespace mnist_dist {

struct TuneOptions {
  SearchSpace space;
  std::vector<std::string> settings;  ///< for every candidate, before its own
  std::uint64_t draw_seed = 1;        ///< of the random candidates
  int candidates = 16;
  int seeds = 2;       ///< per candidate in the first round, twice as many in each further one
  int max_seeds = 24;  ///< per candidate
  std::vector<std::string> recipe_folders;
  SweepOptions sweep;  ///< common to the candidates' sweeps. Its folder has a folder for each
};

/// A candidate and its results so far. Scores are of the validation rows, over its seeds.
struct Candidate {
  int index = 0;
  CandidateDraw draw;
  Config config;
  std::size_t parameters = 0;
  int rounds = 0;  ///< number of rounds with this candidate
  int seeds = 0, diverged = 0;
  double mean = 0, sd = 0, min = 0,
         loss = 0;     ///< accuracies in percent, of the seeds that did not diverge
  double seconds = 0;  ///< sum of the times of its seeds
  std::map<std::uint64_t, double> accuracies, losses;  ///< by seed
  Statistics behind;       ///< accuracy of the best candidate minus its own, seed by seed
  Statistics loss_behind;  ///< loss of its own minus that of the best candidate, seed by seed
  bool scored() const { return seeds > diverged; }
};

/// Whether `a` did better: no divergence, then higher mean accuracy, then lower loss, then the
/// earlier one.
bool better(const Candidate& a, const Candidate& b);

/// Whether a candidate leaves the race: it diverged more often than `best`, or is behind it with
/// 95 % (Student's t, one-sided) in accuracy.
bool is_beaten(const Candidate& candidate, const Candidate& best);

/// tuning.csv: one row per candidate, best first, losers included.
std::string tuning_csv(const std::vector<Candidate>& candidates);

/// A round of a search before it starts.
struct TuneRound {
  int number = 1, candidates = 0;
  int seeds = 0;          ///< per candidate, after this round
  int max_seeds = 0;      ///< per candidate, after the last round of the longest search
  std::int64_t runs = 0;  ///< new runs in this round
  double seconds = 0;     ///< time of the new runs, estimated from earlier ones. 0: not known
};

/// Receives the events of a search, on rank 0 of the world.
class TuneObserver {
 public:
  virtual ~TuneObserver() = default;
  virtual void round_started(const TuneRound& round) = 0;
  virtual void candidate_ended(const Candidate& candidate) = 0;
};

/// Random search as a race (Maron & Moore, NIPS 1993): every candidate trains a few seeds on a part
/// of the training images and is scored on the rest. Seed n of all candidates has the same rows, so
/// candidates are compared seed by seed. Those that are not beaten continue with twice as many
/// seeds, until one is left or all have `max_seeds`. The test set is never opened. Each candidate
/// is a sweep, so a result is on disk when its seed ends, and the same call continues an unfinished
/// search. Returns all candidates, best first (those of later rounds before those that left
/// earlier), on rank 0.
/// Collective.
/// Throws: Error: usage for a space, recipe or folder that does not fit, interrupted after a
/// signal.
std::vector<Candidate> tune(Communicator& world, const TuneOptions& options,
                            TuneObserver* observer);

}  // namespace mnist_dist
