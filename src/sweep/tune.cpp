#include "sweep/tune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/folder_lock.h"
#include "comm/on_root.h"
#include "sweep/folder.h"
#include "sweep/search_row.h"
#include "sweep/verdict.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> settings_of(const TuneOptions& options, const CandidateDraw& draw) {
  std::vector<std::string> settings = options.settings;
  settings.insert(settings.end(), draw.settings.begin(), draw.settings.end());
  return settings;
}

/// All of them before any is trained, so that a bad key shows at once.
std::vector<Candidate> make_candidates(const TuneOptions& options) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < options.candidates; ++i) {
    Candidate candidate;
    candidate.index = i;
    candidate.draw = draw_candidate(options.space, options.draw_seed, i);
    try {
      candidate.config = load_config(candidate.draw.recipe, settings_of(options, candidate.draw),
                                     options.recipe_folders);
    } catch (const Error& error) {
      if (candidate.draw.settings.empty()) throw;
      // Its recipe was read before, as a candidate of its own: what is wrong is the draw, which is
      // the same on every rank.
      throw on_all_ranks(Error(error.code(),
                               fmt::format("candidate {} of the space ({}): {}", i,
                                           fmt::join(candidate.draw.settings, " "), error.what()),
                               error.hint()));
    }
    candidate.parameters = parameter_count(candidate.config.model);
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

/// The candidate's recipe for a trial: held-out rows instead of the test set, and only the end
/// counts.
Config trial_config(const Candidate& candidate, const TuneOptions& options) {
  std::vector<std::string> settings = settings_of(options, candidate.draw);
  // The held-out block follows the seed, so that all 60,000 images judge a candidate of six seeds.
  if (candidate.config.data.split.empty()) settings.push_back("data.split=[50000,10000,0]");
  settings.push_back(fmt::format("train.evaluate_every={}", candidate.config.train.epochs));
  return load_config(candidate.draw.recipe, settings, options.recipe_folders);
}

constexpr std::array<std::string_view, 3> file_names{"tuning.csv", "best.toml", "report.html"};

bool is_unused(const fs::path& folder) {
  const fs::directory_iterator entries(folder);
  return std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return is_of_lock(entry.path()) || is_temporary(entry.path(), file_names);
  });
}

/// Before any training: makes and locks the folder, which must be empty or hold this search, with
/// its existing candidates unchanged.
void open_folder(const TuneOptions& options, const std::vector<Candidate>& candidates,
                 std::optional<FolderLock>& lock) {
  const fs::path& folder = options.sweep.folder;
  const auto folder_of = [&](const Candidate& candidate) {
    return folder / candidate_folder(candidate.index);
  };
  const auto no_search = [&] {
    return usage_error(fmt::format("{} already exists and is not a search", folder.string()),
                       "choose a different --out");
  };
  if (fs::exists(folder) && !fs::is_directory(folder)) throw no_search();
  make_folders(folder);
  lock.emplace(folder);
  if (!fs::exists(folder_of(candidates.front())) && !is_unused(folder)) throw no_search();
  remove_leftovers_in(folder, file_names);
  for (const Candidate& candidate : candidates)
    if (is_recipe(folder_of(candidate) / "config.toml"))
      check_same_recipe(folder_of(candidate), trial_config(candidate, options));
}

void score(Candidate& candidate, const SweepRecord& record) {
  const Verdict verdict = verdict_of(record);
  candidate.seeds = static_cast<int>(verdict.counted.size());
  candidate.diverged = verdict.diverged;
  candidate.mean = verdict.final.mean;
  candidate.sd = verdict.final.sd;
  candidate.min = verdict.final.min;
  candidate.loss = candidate.seconds = 0;
  for (const SeedOutcome* outcome : verdict.counted) {
    candidate.seconds += outcome->seconds;
    if (outcome->diverged) continue;
    candidate.loss += outcome->final_loss / verdict.trained;
    candidate.accuracies[outcome->seed] = accuracy_of(*outcome);
    candidate.losses[outcome->seed] = outcome->final_loss;
  }
}

void compare_with(const Candidate& best, Candidate& candidate) {
  candidate.behind = candidate.loss_behind = {};
  if (candidate.index == best.index) return;
  candidate.behind = compare_paired(candidate.accuracies, best.accuracies).difference;
  candidate.loss_behind = compare_paired(best.losses, candidate.losses).difference;
}

/// Trains those of seeds 1..seeds that the candidate is missing. Collective. The score is rank 0's.
void run_trial(Communicator& world, const TuneOptions& options, Candidate& candidate, int seeds) {
  SweepOptions sweep = options.sweep;
  sweep.recipe = trial_config(candidate, options);
  sweep.seeds = fmt::format("1..{}", seeds);
  sweep.target = std::string("0");  // nothing to pass: candidates are compared with each other
  sweep.folder = options.sweep.folder / candidate_folder(candidate.index);
  if (run_sweep(world, sweep) == SweepEnd::interrupted)
    throw on_all_ranks(
        Error(ExitCode::interrupted,
              fmt::format("stopped by a signal in {}", candidate_folder(candidate.index)),
              "run the same command again to continue"));
  run_on_root(world, [&] {
    SweepRecord record = write_tables_of(sweep.folder);
    record.identity.seeds = sweep.seeds;  // an earlier search may have trained more
    score(candidate, record);
  });
}

/// Orders the first `count` candidates: the best one, others that are not beaten, and those that
/// leave the race. Returns how many do not leave. On every rank as on rank 0, since only rank 0 has
/// read the scores.
std::size_t sort_everywhere(Communicator& world, std::vector<Candidate>& candidates,
                            std::size_t count) {
  std::vector<int> order(count + 1);
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(count);
  if (world.rank() == 0) {
    std::sort(candidates.begin(), end, better);
    const Candidate best = candidates.front();
    for (Candidate& candidate : candidates) compare_with(best, candidate);
    const auto beaten = std::stable_partition(
        candidates.begin(), end, [&](const Candidate& c) { return !is_beaten(c, best); });
    for (std::size_t i = 0; i < count; ++i) order[i] = candidates[i].index;
    order[count] = best.scored() ? static_cast<int>(beaten - candidates.begin()) : 0;
  }
  world.broadcast(std::as_writable_bytes(std::span(order)), 0);
  const auto place = [&](const Candidate& candidate) {
    return std::find(order.begin(), order.end(), candidate.index);
  };
  std::sort(candidates.begin(), end,
            [&](const Candidate& a, const Candidate& b) { return place(a) < place(b); });
  return static_cast<std::size_t>(order[count]);
}

SearchRow row_of(const Candidate& candidate) {
  SearchRow row;
  row.candidate = candidate.index;
  row.parameters = static_cast<std::int64_t>(candidate.parameters);
  row.rounds = candidate.rounds;
  row.seeds = candidate.seeds;
  row.diverged = candidate.diverged;
  row.seconds = candidate.seconds;
  row.recipe = candidate.draw.recipe;
  row.settings = fmt::format("{}", fmt::join(candidate.draw.settings, " "));
  if (candidate.scored()) {
    row.mean = candidate.mean;
    row.sd = candidate.sd;
    row.min = candidate.min;
    row.loss = candidate.loss;
  }
  const auto fill = [](const Statistics& from, std::optional<double>& mean,
                       std::optional<double>& low, std::optional<double>& high) {
    if (from.n >= 1) mean = from.mean;
    if (from.n >= 2) low = from.mean_interval.low, high = from.mean_interval.high;
  };
  fill(candidate.behind, row.behind, row.behind_low, row.behind_high);
  fill(candidate.loss_behind, row.loss_behind, row.loss_behind_low, row.loss_behind_high);
  return row;
}

}  // namespace

bool better(const Candidate& a, const Candidate& b) {
  if (a.diverged != b.diverged) return a.diverged < b.diverged;
  if (a.mean != b.mean) return a.mean > b.mean;
  // NaN, which is below and above nothing, would leave no order.
  if (std::isnan(a.loss) != std::isnan(b.loss)) return std::isnan(b.loss);
  if (a.loss < b.loss || b.loss < a.loss) return a.loss < b.loss;
  return a.index < b.index;
}

bool is_beaten(const Candidate& candidate, const Candidate& best) {
  if (candidate.diverged != best.diverged) return candidate.diverged > best.diverged;
  return candidate.behind.n >= 2 && candidate.behind.mean_lower_bound > 0;
}

std::string tuning_csv(const std::vector<Candidate>& candidates) {
  std::vector<SearchRow> rows;
  for (const Candidate& candidate : candidates) rows.push_back(row_of(candidate));
  return search_table(rows);
}

std::vector<Candidate> tune(Communicator& world, const TuneOptions& options,
                            TuneObserver* observer) {
  std::vector<Candidate> candidates = make_candidates(options);
  std::optional<FolderLock> lock;  // rank 0's
  run_on_root(world, [&] { open_folder(options, candidates, lock); });
  const auto write_table = [&] {
    lock->check_in_place();
    write_file_atomically(options.sweep.folder / "tuning.csv", tuning_csv(candidates));
  };
  const int groups = (world.size() + options.sweep.ranks_per_run - 1) / options.sweep.ranks_per_run;
  std::size_t left = candidates.size();
  TuneRound round{.seeds = options.seeds, .max_seeds = options.max_seeds};
  for (int before = 0;; ++round.number) {
    round.candidates = static_cast<int>(left);
    round.runs = std::int64_t{round.candidates} * (round.seeds - before);
    round.seconds = 0;
    for (std::size_t i = 0; before > 0 && i < left; ++i)
      round.seconds += candidates[i].seconds / before * (round.seeds - before) / groups;
    if (observer) observer->round_started(round);
    const std::size_t started = left;
    for (std::size_t i = 0; i < started; ++i) {
      candidates[i].rounds = round.number;
      run_on_root(world, [&] { lock->check_in_place(); });
      run_trial(world, options, candidates[i], round.seeds);
      if (!observer) continue;
      compare_with(candidates.front(), candidates[i]);
      observer->candidate_ended(candidates[i]);
      write_table();
    }
    left = sort_everywhere(world, candidates, started);
    if (observer) write_table();
    if (left <= 1 || round.seeds == options.max_seeds) break;
    before = round.seeds;
    round.seeds = std::min(2 * before, options.max_seeds);
  }
  return candidates;
}

}  // namespace mnist_dist
