#include "train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/shell_word.h"
#include "train/agreement.h"
#include "train/checkpoint_check.h"
#include "train/metrics.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// How the names of a run's files begin.
constexpr std::array<std::string_view, 8> file_names{
    "config.toml",     "metrics.csv", "summary.json", "report.html",
    "predictions.csv", "status.json", "checkpoint.",  "events.out.tfevents."};
/// Those of a checkpoint that is being written.
constexpr std::array<std::string_view, 2> unfinished_names{"checkpoint.next.tmp",
                                                           "checkpoint.link.tmp"};

/// One of ours that a killed process was writing, or its lock.
bool is_leftover(const fs::path& file) {
  return is_of_lock(file) || is_temporary(file, file_names) ||
         std::ranges::find(unfinished_names, file.filename().string()) != unfinished_names.end();
}

/// Whether a folder has nothing but leftovers and, with `known`, files of a run.
template <class Known>
bool holds_only(const fs::path& folder, const Known& known) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  return !error && std::all_of(begin(entries), end(entries), [&](const fs::directory_entry& entry) {
    return is_leftover(entry.path()) || known(entry.path().filename());
  });
}

/// A start that was killed before it wrote its recipe left a folder that counts as empty. So does
/// a recipe that a power failure cut off.
bool is_unused(const fs::path& folder) {
  return holds_only(folder, [&](const fs::path& name) {
    return name == "config.toml" && !is_recipe(folder / name);
  });
}

/// A run that was killed before its first checkpoint left no other file of a run. Files of other
/// programs, such as a batch system's, may lie there. A sweep's folder has a recipe, too.
bool holds_only_a_beginning(const fs::path& folder) {
  constexpr std::array<std::string_view, 4> of_beginning{"config.toml", "metrics.csv",
                                                         "status.json", "events.out.tfevents."};
  constexpr std::array<std::string_view, 3> of_sweep{"sweep.json", "rows", "runs"};
  const auto begins_as_one_of = [](const std::string& name, const auto& names) {
    return std::ranges::any_of(names,
                               [&](std::string_view start) { return name.starts_with(start); });
  };
  return fs::exists(folder / "config.toml") && holds_only(folder, [&](const fs::path& path) {
           const std::string name = path.string();
           return begins_as_one_of(name, of_beginning) ||
                  (!begins_as_one_of(name, file_names) && !begins_as_one_of(name, of_sweep));
         });
}

void write_recipe(const fs::path& locked_folder, const Config& config) {
  remove_run_leftovers(locked_folder);
  write_file_atomically(locked_folder / "config.toml", to_toml(config));
}

bool is_finished(const fs::path& folder, const Checkpoint& checkpoint) {
  return checkpoint.finished && fs::exists(folder / "summary.json");
}

/// The newest whole checkpoint, as one that is not finished while there is no summary.json: that is
/// written last.
std::optional<Found> resumable_checkpoint(const fs::path& folder) {
  std::optional<Found> found = newest_checkpoint(folder);
  if (found) found->checkpoint.finished = is_finished(folder, found->checkpoint);
  return found;
}

/// Whether a recipe is the one in the folder's config.toml, and not from options.
bool is_of_its_file(const fs::path& folder, const Config& config) {
  try {
    const Config file = load_config((folder / "config.toml").string(), {}, {});
    return recipe_toml(file) == recipe_toml(config) && file.train.seed == config.train.seed;
  } catch (const Error&) {
    return false;
  }
}

void check_same_run(const fs::path& folder, const std::string& recipe, std::uint64_t seed,
                    const Config& config) {
  const auto hint = [&](const std::string& was, const char* options) {
    return is_of_its_file(folder, config)
               ? fmt::format("change it back in {}: {}",
                             shell_word((folder / "config.toml").string()), was)
               : fmt::format("{}, or start a new run", options);
  };
  if (seed != config.train.seed)
    throw usage_error(fmt::format("{}: different seed (got {}, expected {})", folder.string(),
                                  config.train.seed, seed),
                      hint(fmt::format("seed = {}", seed), "leave --seed out"));
  if (const std::string wanted = recipe_toml(config); recipe != wanted)
    throw usage_error(fmt::format("{}: different recipe ({})", folder.string(),
                                  recipe_difference(recipe, wanted)),
                      hint(first_difference(recipe, wanted).first,
                           "leave --config and --set out to continue with its own recipe"));
}

}  // namespace

bool is_recipe(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return false;
  try {
    parse_config(read_text_file(file), file.string());
  } catch (const Error& problem) {
    return problem.code() != ExitCode::usage;
  }
  return true;
}

void remove_run_leftovers(const fs::path& locked_folder) {
  remove_leftovers_in(locked_folder, file_names);
  std::error_code not_there;
  for (const std::string_view name : unfinished_names) fs::remove(locked_folder / name, not_there);
}

std::string scoring_hint(const fs::path& folder) {
  return fmt::format("score its weights with: mnist-dist evaluate {}",
                     shell_word((folder / "checkpoint.h5").string()));
}

std::string summary_hint(const fs::path& folder) {
  std::error_code unknown;
  return fmt::format("{}run mnist-dist --resume --run-dir {}",
                     fs::exists(folder / "summary.json", unknown) ? "remove it, then " : "",
                     shell_word(folder.string()));
}

std::string recipe_difference(const std::string& was, const std::string& is) {
  const auto [was_line, is_line] = first_difference(was, is);
  return fmt::format("got \"{}\", expected \"{}\"", is_line, was_line);
}

fs::path make_default_folder(const Config& config) {
  const auto now =
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  const std::string stem =
      fmt::format("runs/{}-seed{}-{:%Y%m%d-%H%M%S}", config.name, config.train.seed, now);
  std::error_code error;
  make_folders("runs");
  fs::path folder = stem;
  // Made, not looked for: of two runs that start within a second one finds it there.
  for (int n = 2; !fs::create_directory(folder, error) && !error; ++n)
    folder = fmt::format("{}-{}", stem, n);
  return folder;
}

FolderLock create_run_folder(const fs::path& folder, const Config& config) {
  std::error_code unknown;
  if (!fs::exists(folder, unknown)) make_folders(folder);
  FolderLock lock(folder);  // before looking: another run may be about to begin here
  if (!is_unused(folder)) {
    const bool can_go_on =
        is_recipe(folder / "config.toml") && !fs::exists(folder / "summary.json");
    throw usage_error(
        fmt::format("run folder {} already exists. Runs are never overwritten", folder.string()),
        can_go_on
            ? fmt::format("choose a different --run-dir, or continue with --resume --run-dir {}",
                          shell_word(folder.string()))
            : "choose a different --run-dir");
  }
  write_recipe(folder, config);
  return lock;
}

bool has_rows_of(const fs::path& folder, std::uint32_t epochs) {
  if (epochs == 0) return true;
  try {
    const CsvTable table(folder / "metrics.csv");
    return parse_metrics(table, scored_in(table)).size() >= epochs;
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    return false;
  }
}

bool has_run_leftovers(const fs::path& folder) {
  return std::ranges::any_of(entry_names(folder), is_leftover);
}

std::optional<Checkpoint> start_or_resume(const fs::path& folder, const Config& config) {
  auto found = resumable_checkpoint(folder);
  if (found && has_rows_of(folder, found->checkpoint.epoch)) {
    remove_run_leftovers(folder);
    return std::move(found->checkpoint);
  }
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!is_of_lock(entry.path())) entries.push_back(entry.path());
  for (const fs::path& entry : entries) fs::remove_all(entry);
  write_recipe(folder, config);
  return std::nullopt;
}

fs::path newest_unfinished_run(const fs::path& runs, const Config& config) {
  std::vector<std::pair<fs::file_time_type, fs::path>> candidates;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    const fs::path checkpoint = entry.path() / "checkpoint.h5";
    const fs::path any = fs::exists(checkpoint) ? checkpoint : entry.path() / "checkpoint.prev.h5";
    if (fs::exists(any)) candidates.emplace_back(fs::last_write_time(any), entry.path());
  }
  std::sort(candidates.rbegin(), candidates.rend());
  const std::string wanted = recipe_toml(config);
  std::string nearly,
      difference;  // the newest of the same name and seed that was started with a different --set
  for (const auto& [time, folder] : candidates) {
    try {
      const Checkpoint checkpoint = newest_checkpoint(folder)->checkpoint;
      if (is_finished(folder, checkpoint) || checkpoint.seed != config.train.seed) continue;
      const Config recorded = checked_recipe(checkpoint, folder / "checkpoint.h5");
      if (recipe_toml(recorded) == wanted) return folder;
      if (nearly.empty() && recorded.name == config.name) {
        nearly = folder.string();
        difference = recipe_difference(recipe_toml(recorded), wanted);
      }
    } catch (const Error&) {
      // A damaged run is skipped here. With --run-dir its error is printed.
    }
  }
  const std::string none =
      fmt::format("nothing to resume in {}: no unfinished run of {} with seed {}", runs.string(),
                  config.name, config.train.seed);
  if (!nearly.empty())
    throw usage_error(
        fmt::format("{} and this recipe. {} has a different one ({})", none, nearly, difference),
        fmt::format("use --resume --run-dir {} without --config and --set, or start a new run "
                    "without --resume",
                    shell_word(nearly)));
  throw usage_error(none, "name the run with --run-dir, or start a new one without --resume");
}

std::optional<Found> resume_point(const fs::path& folder, const Config& config) {
  std::optional<Found> found = resumable_checkpoint(folder);
  if (found && found->checkpoint.finished)
    throw usage_error(
        fmt::format("nothing to resume: the run in {} is finished", folder.string()),
        fmt::format("read its results in {}", shell_word((folder / "summary.json").string())));
  if (found) {
    // Written again, because a checkpoint of an older version does not have the newest keys.
    const Config recorded = checked_recipe(found->checkpoint, folder / "checkpoint.h5");
    check_same_run(folder, recipe_toml(recorded), found->checkpoint.seed, config);
    if (fs::exists(folder / "config.toml") && !is_recipe(folder / "config.toml"))
      write_recipe(folder, config);
  } else if (is_unused(folder) ||
             (holds_only_a_beginning(folder) && !is_recipe(folder / "config.toml"))) {
    write_recipe(folder, config);
  } else if (holds_only_a_beginning(folder)) {
    const Config recorded = load_config((folder / "config.toml").string(), {}, {});
    check_same_run(folder, recipe_toml(recorded), recorded.train.seed, config);
  } else {
    throw usage_error(fmt::format("nothing to resume in {}: no checkpoint found", folder.string()),
                      fs::exists(folder) ? "name a different --run-dir"
                                         : "check --run-dir, or start a new run without --resume");
  }
  remove_run_leftovers(folder);
  return found;
}

void check_same_data(const Checkpoint& checkpoint, const std::string& data_hash) {
  if (checkpoint.data_hash == data_hash) return;
  throw on_all_ranks(usage_error(
      fmt::format("the run was started with different data (got hash {:.12}..., expected "
                  "{:.12}...)",
                  data_hash, checkpoint.data_hash),
      "give its data with --set data.file=..., or start a new run"));
}

}  // namespace mnist_dist
