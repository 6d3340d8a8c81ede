#include "sweep/verdict.h"

#include <algorithm>
#include <set>

#include "config/config.h"
#include "sweep/seeds.h"

namespace mnist_dist {

double accuracy_of(const SeedOutcome& outcome) {
  return outcome.images == 0 ? 0
                             : 100.0 * static_cast<double>(outcome.final_correct) /
                                   static_cast<double>(outcome.images);
}

bool reaches(const SeedOutcome& outcome, const Target& target) {
  return !outcome.diverged && outcome.final_correct >= target.required_correct(outcome.images);
}

bool all_reached(const SweepRecord& record, const std::vector<std::uint64_t>& seeds) {
  const Target target(record.identity.target);
  std::set<std::uint64_t> open(seeds.begin(), seeds.end());
  for (const SeedOutcome& outcome : record.outcomes)
    if (reaches(outcome, target)) open.erase(outcome.seed);
  return open.empty();
}

namespace {

/// Student's t and the chi-square distribution have no bounds, an accuracy has.
Statistics accuracy_statistics(const std::vector<double>& percents) {
  Statistics s = statistics_of(percents);
  for (double* bound : {&s.mean_interval.low, &s.mean_interval.high, &s.mean_lower_bound})
    *bound = std::clamp(*bound, 0.0, 100.0);
  constexpr double largest_sd = 50;  // half of the numbers 0, half 100
  s.sd_interval.high = std::min(s.sd_interval.high, largest_sd);
  return s;
}

}  // namespace

Verdict verdict_of(const SweepRecord& record) {
  const Target target(record.identity.target);
  const std::vector<std::uint64_t> seeds = parse_seeds(record.identity.seeds);
  const std::set<std::uint64_t> requested(seeds.begin(), seeds.end());
  Verdict v;
  v.images = record.identity.images;
  if (!record.recipe_text.empty())
    v.max_steps = parse_config(record.recipe_text, "config.toml").train.max_steps;
  v.required_correct = target.required_correct(v.images);
  v.requested = static_cast<int>(requested.size());
  for (const SeedOutcome& outcome : record.outcomes)
    if (requested.contains(outcome.seed)) v.counted.push_back(&outcome);
  std::sort(v.counted.begin(), v.counted.end(),
            [](const SeedOutcome* a, const SeedOutcome* b) { return a->seed < b->seed; });
  v.others = static_cast<int>(record.outcomes.size() - v.counted.size());

  std::vector<double> final, best;
  for (const SeedOutcome* outcome : v.counted) {
    v.reached += reaches(*outcome, target);
    if (outcome->diverged) {
      ++v.diverged;
      continue;
    }
    ++v.trained;
    final.push_back(accuracy_of(*outcome));
    best.push_back(outcome->best_accuracy);
  }
  const int counted = static_cast<int>(v.counted.size());
  v.missing = v.requested - counted;
  v.reached_lower_bound = success_lower_bound(v.reached, counted);
  v.chance = success_interval(v.reached, counted);
  v.final = accuracy_statistics(final);
  v.best = accuracy_statistics(best);
  v.resolution = resolution(v.final.mean, v.images);
  v.answer = v.reached < counted ? Verdict::Answer::fail
             : v.missing > 0     ? Verdict::Answer::incomplete
                                 : Verdict::Answer::pass;
  return v;
}

const char* name_of(Verdict::Answer answer) {
  if (answer == Verdict::Answer::pass) return "PASS";
  return answer == Verdict::Answer::fail ? "FAIL" : "INCOMPLETE";
}

}  // namespace mnist_dist
