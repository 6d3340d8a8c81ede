#include "train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "train/agreement.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// One of ours that a killed process was writing.
bool is_leftover(const fs::path& file) {
  const std::string name = file.filename().string();
  const auto begins = [&](const char* with) { return name.starts_with(with); };
  return name.find(".tmp") != std::string::npos &&
         std::ranges::any_of(std::array{"config.toml.", "metrics.csv.", "summary.json.", "checkpoint."}, begins);
}

/// A run that was killed before its first checkpoint left nothing else.
bool holds_only_a_beginning(const fs::path& folder) {
  if (!fs::exists(folder / "config.toml")) return false;
  return std::ranges::all_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    const fs::path name = entry.path().filename();
    return name == "config.toml" || name == "metrics.csv" || is_leftover(name);
  });
}

/// Compared as this program would write it: a checkpoint of an older one lacks the keys that were added since.
Config recipe_of(const Checkpoint& checkpoint) { return parse_config(checkpoint.recipe, "the checkpoint's recipe"); }

void check_same_run(const fs::path& folder, const std::string& recipe, std::uint64_t seed, const Config& config) {
  if (seed != config.train.seed)
    throw usage_error(fmt::format("{} holds a run with seed {}, not {}", folder.string(), seed, config.train.seed),
                      "leave --seed out, or start a new run");
  if (const std::string wanted = recipe_toml(config); recipe != wanted)
    throw usage_error(fmt::format("{} holds a run of another recipe: {}", folder.string(), recipe_difference(recipe, wanted)),
                      "leave --config and --set out to go on with its own recipe, or start a new run");
}

}  // namespace

std::string scoring_hint(const fs::path& folder) {
  return fmt::format("score its weights with: mnist-dist evaluate --checkpoint {}", (folder / "checkpoint.h5").string());
}

std::string recipe_difference(const std::string& was, const std::string& is) {
  const auto [has, wanted] = first_difference(was, is);
  return fmt::format("it has \"{}\", asked for is \"{}\"", has, wanted);
}

fs::path make_default_folder(const Config& config) {
  const auto now = fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  const std::string stem = fmt::format("runs/{}-seed{}-{:%Y%m%d-%H%M%S}", config.name, config.train.seed, now);
  std::error_code error;
  fs::create_directories("runs", error);
  fs::path folder = stem;
  // Made, not looked for: of two runs that start within a second one finds it there.
  for (int n = 2; !fs::create_directory(folder, error) && !error; ++n) folder = fmt::format("{}-{}", stem, n);
  return folder;
}

FolderLock create_run_folder(const fs::path& folder, const Config& config) {
  std::error_code error;
  fs::create_directories(folder, error);  // if it cannot be made, writing the first file says why
  FolderLock lock(folder);                // before looking: another run may be about to begin here
  if (fs::exists(folder, error) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error)))
    throw usage_error(fmt::format("run folder {} is there already; a run is never overwritten", folder.string()),
                      fmt::format("choose another --run-dir, or go on with --resume --run-dir {}", folder.string()));
  write_file_atomically(folder / "config.toml", to_toml(config));
  return lock;
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
  std::string nearly, difference;  // the newest of the same name and seed that was begun with another --set
  for (const auto& [time, folder] : candidates) {
    try {
      const Checkpoint checkpoint = newest_checkpoint(folder)->checkpoint;
      if (checkpoint.finished || checkpoint.seed != config.train.seed) continue;
      const Config begun = recipe_of(checkpoint);
      if (recipe_toml(begun) == wanted) return folder;
      if (nearly.empty() && begun.name == config.name) {
        nearly = folder.string();
        difference = recipe_difference(recipe_toml(begun), wanted);
      }
    } catch (const Error&) {
      // A damaged run is not the one to go on with; naming it with --run-dir says why.
    }
  }
  const std::string none =
      fmt::format("nothing to resume: {} holds no unfinished run of {} with seed {}", runs.string(), config.name, config.train.seed);
  if (!nearly.empty())
    throw usage_error(fmt::format("{} and this recipe; {} was begun with another: {}", none, nearly, difference),
                      fmt::format("go on with it by --resume --run-dir {} and no --config or --set, or start a new run without --resume", nearly));
  throw usage_error(none, "name the run with --run-dir, or start a new one without --resume");
}

std::optional<Found> resume_point(const fs::path& folder, const Config& config) {
  std::optional<Found> found = newest_checkpoint(folder);
  if (found && found->checkpoint.finished)
    throw usage_error(
        fmt::format("nothing to resume: the run in {} is finished", folder.string()),
        fs::exists(folder / "summary.json") ? "its results are in summary.json" : "its summary.json is missing; " + scoring_hint(folder));
  if (found) {
    check_same_run(folder, recipe_toml(recipe_of(found->checkpoint)), found->checkpoint.seed, config);
  } else if (holds_only_a_beginning(folder)) {
    const Config begun = load_config((folder / "config.toml").string(), {}, {});
    check_same_run(folder, recipe_toml(begun), begun.train.seed, config);
  } else {
    throw usage_error(fmt::format("nothing to resume: {} holds no checkpoint", folder.string()),
                      "check --run-dir, or start a new run without --resume");
  }
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_leftover(entry.path())) fs::remove(entry.path());
  return found;
}

void check_same_data(const Checkpoint& checkpoint, const std::string& data_hash) {
  if (checkpoint.data_hash == data_hash) return;
  throw usage_error(fmt::format("the run was begun with other data (hash {:.12}..., now {:.12}...)", checkpoint.data_hash, data_hash),
                    "give its data with --set data.file=..., or start a new run")
      .mark_everywhere();
}

}  // namespace mnist_dist
