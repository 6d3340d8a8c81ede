#pragma once
#include <cstdint>
#include <vector>

#include "sweep/record.h"
#include "sweep/statistics.h"

namespace mnist_dist {

/// The accuracy after the last epoch, over the requested seeds of a sweep.
struct Verdict {
  enum class Answer {
    pass,
    fail,
    incomplete
  } answer = Answer::incomplete;  ///< pass: every requested seed reached the target
  int requested = 0, trained = 0, diverged = 0, missing = 0;
  int reached = 0;  ///< seeds at the target, without diverged ones
  double reached_lower_bound =
      0;            ///< Clopper-Pearson, one-sided 95%, on the share of all seeds that reach it
  Interval chance;  ///< that one run reaches the target, exact two-sided 95%
  std::int64_t images = 0, required_correct = 0;
  Statistics final;       ///< accuracy in percent, of the seeds that did not diverge
  Statistics best;        ///< of each seed's best epoch: optimistic, because selected by this score
  double resolution = 0;  ///< binomial standard error of one run at this accuracy
  int max_steps = 0;      ///< of a seed, by the recipe's train.max_steps. 0: all epochs
  int others = 0;         ///< seeds in the folder that were not requested. Not counted anywhere
  /// Outcomes counted above, by seed.
  std::vector<const SeedOutcome*> counted;
};

/// Over the seeds and the target that the record's identity names. Pointers go into `record`.
Verdict verdict_of(const SweepRecord& record);

/// Whether all of `seeds` have rows and reached the record's target, independent of other seeds.
bool all_reached(const SweepRecord& record, const std::vector<std::uint64_t>& seeds);

/// Whether a seed reached the target. False if it diverged.
bool reaches(const SeedOutcome& outcome, const Target& target);

/// 100 * correct / images: the accuracy to the last digit, which seeds.csv rounds.
double accuracy_of(const SeedOutcome& outcome);

const char* name_of(Verdict::Answer answer);

}  // namespace mnist_dist
