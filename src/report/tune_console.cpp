#include "report/tune_console.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/plural.h"
#include "base/standard_streams.h"
#include "report/duration.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

const std::vector<TextColumn> candidate_columns{
    {.name = "candidate", .importance = 9},
    {.name = "recipe", .width = 12, .left = true, .importance = 4, .narrowest = 8},
    {.name = "parameters", .importance = 3},
    {.name = "seeds", .importance = 2},
    {.name = "mean", .width = 8, .importance = 8},
    {.name = "sd", .width = 6, .importance = 1},
    {.name = "min", .width = 8, .importance = 1},
    {.name = "loss", .width = 8},
    {.name = "behind", .width = 15, .importance = 4},
    {.name = "settings", .left = true, .importance = 7, .narrowest = 8}};

/// Points behind the best candidate with the half width of the 95 % interval.
std::string behind(const Candidate& c) {
  const Statistics& points = c.behind;
  if (points.n == 0) return "-";
  if (points.n == 1) return fmt::format("{:.3f}", points.mean);
  return fmt::format("{:.3f} +-{:.3f}", points.mean, points.mean_interval.high - points.mean);
}

std::vector<std::string> row(const Candidate& c) {
  std::string settings =
      c.draw.settings.empty() ? "as it is" : fmt::format("{}", fmt::join(c.draw.settings, " "));
  if (c.seeds == 0) settings = "not tried: " + settings;
  if (c.diverged > 0) settings += fmt::format("  {} DIVERGED", c.diverged);
  const auto score = [&](const char* format, double value) {
    return c.seeds > 0 && c.scored() ? fmt::format(fmt::runtime(format), value) : "-";
  };
  return {fmt::format("{}", c.index),
          c.draw.recipe,
          fmt::format("{}", c.parameters),
          fmt::format("{}", c.seeds),
          score("{:.3f}", c.mean),
          score("{:.3f}", c.sd),
          score("{:.2f}", c.min),
          score("{:.5f}", c.loss),
          behind(c),
          settings};
}

}  // namespace

TuneConsole::TuneConsole(bool quiet)
    : table_(candidate_columns, terminal_columns(Output::standard_out)), quiet_(quiet) {}

void TuneConsole::round_started(const TuneRound& round) {
  if (quiet_) return;
  if (round.number == 1)
    print_fitted(fmt::format("race of {} candidate{}: at most {} runs ({} seed{} each)\n",
                             round.candidates, plural(round.candidates),
                             std::int64_t{round.candidates} * round.max_seeds, round.max_seeds,
                             plural(round.max_seeds)));
  print_fitted(fmt::format("round {}: {} candidate{}, {} seed{} each | {} new run{}{}\n",
                           round.number, round.candidates, plural(round.candidates), round.seeds,
                           plural(round.seeds), round.runs, plural(round.runs),
                           round.seconds > 0 ? ", about " + duration(round.seconds) : ""));
  print(table_.header());
}

void TuneConsole::candidate_ended(const Candidate& candidate) {
  if (!quiet_) print(table_.row(row(candidate)));
}

void TrialConsole::seed_ended(const SeedOutcome& o) {
  if (quiet_) return;
  say_line(fmt::format(
      "  seed {}: {}", o.seed,
      o.diverged ? o.message : fmt::format("{:.2f} % in {:.0f} s", o.final_accuracy, o.seconds)));
}

std::string tuning_table(const std::vector<Candidate>& candidates, int columns) {
  const TextTable table(candidate_columns, columns);
  std::string text = table.header();
  for (const Candidate& candidate : candidates) text += table.row(row(candidate));
  return text;
}

}  // namespace mnist_dist
