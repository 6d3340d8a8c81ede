#include "report/tune_console.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/plural.h"
#include "base/standard_streams.h"

namespace mnist_dist {
namespace {

constexpr const char* header =
    "candidate  recipe        parameters  seeds      mean      sd       min      loss  settings\n";

std::string row(const Candidate& c) {
  const std::string settings =
      c.draw.settings.empty() ? "as it is" : fmt::format("{}", fmt::join(c.draw.settings, " "));
  if (c.seeds == 0)
    return fmt::format("{:>9}  {:<12}  {:>10}  not tried: {}\n", c.index, c.draw.recipe,
                       c.parameters, settings);
  const std::string diverged = c.diverged > 0 ? fmt::format("  {} DIVERGED", c.diverged) : "";
  const std::string scores =
      c.scored()
          ? fmt::format("{:>8.3f}  {:>6.3f}  {:>8.2f}  {:>8.5f}", c.mean, c.sd, c.min, c.loss)
          : fmt::format("{:>8}  {:>6}  {:>8}  {:>8}", "-", "-", "-", "-");
  return fmt::format("{:>9}  {:<12}  {:>10}  {:>5}  {}  {}{}\n", c.index, c.draw.recipe,
                     c.parameters, c.seeds, scores, settings, diverged);
}

}  // namespace

void TuneConsole::round_started(int round, int candidates, int seeds) {
  print(fmt::format("round {}: {} candidate{}, {} seed{} each\n{}", round, candidates,
                    plural(candidates), seeds, plural(seeds), header));
}

void TuneConsole::candidate_ended(const Candidate& candidate) { print(row(candidate)); }

void TrialConsole::seed_ended(const SeedOutcome& o) {
  say_line(fmt::format(
      "  seed {}: {}", o.seed,
      o.diverged ? o.message : fmt::format("{:.2f} % in {:.0f} s", o.final_accuracy, o.seconds)));
}

std::string tuning_table(const std::vector<Candidate>& candidates) {
  std::string text = header;
  for (const Candidate& candidate : candidates) text += row(candidate);
  return text;
}

}  // namespace mnist_dist
