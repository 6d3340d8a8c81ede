#include "train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

fs::path unused_default_folder(const Config& config) {
  const auto now = fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  const std::string stem = fmt::format("runs/{}-seed{}-{:%Y%m%d-%H%M%S}", config.name, config.train.seed, now);
  fs::path folder = stem;
  for (int n = 2; fs::exists(folder); ++n) folder = fmt::format("{}-{}", stem, n);
  return folder;
}

}  // namespace

std::string recipe_difference(const std::string& was, const std::string& is) {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t to = std::min(text.find('\n', from), text.size());
      out.push_back(text.substr(from, to - from));
      from = to + 1;
    }
    return out;
  };
  const auto a = lines(was), b = lines(is);
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "nothing", right = i < b.size() ? b[i] : "nothing";
    if (left != right) return fmt::format("it has \"{}\", asked for is \"{}\"", left, right);
  }
  return "";
}

fs::path create_run_folder(const fs::path& wanted, const Config& config) {
  const fs::path folder = wanted.empty() ? unused_default_folder(config) : wanted;
  std::error_code error;
  if (fs::exists(folder, error) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error)))
    throw usage_error(fmt::format("run folder {} is there already; a run is never overwritten", folder.string()),
                      fmt::format("choose another --run-dir, or go on with --resume --run-dir {}", folder.string()));
  write_file_atomically(folder / "config.toml", to_toml(config));
  return folder;
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
  for (const auto& [time, folder] : candidates) {
    try {
      const Checkpoint checkpoint = newest_checkpoint(folder)->checkpoint;
      if (!checkpoint.finished && checkpoint.seed == config.train.seed && checkpoint.recipe == recipe_toml(config)) return folder;
    } catch (const Error&) {
      // A damaged run is not the one to go on with; naming it with --run-dir says why.
    }
  }
  throw usage_error(fmt::format("nothing to resume: {} holds no unfinished run of {} with seed {}", runs.string(), config.name, config.train.seed),
                    "name the run with --run-dir, or start a new one without --resume");
}

Found resume_point(const fs::path& folder, const Config& config) {
  std::optional<Found> found = newest_checkpoint(folder);
  if (!found)
    throw usage_error(fmt::format("nothing to resume: {} holds no checkpoint", folder.string()),
                      "check --run-dir, or start a new run without --resume");
  const Checkpoint& checkpoint = found->checkpoint;
  if (checkpoint.finished)
    throw usage_error(fmt::format("nothing to resume: the run in {} is finished", folder.string()), "its results are in summary.json");
  if (checkpoint.seed != config.train.seed)
    throw usage_error(fmt::format("{} holds a run with seed {}, not {}", folder.string(), checkpoint.seed, config.train.seed),
                      "leave --seed out, or start a new run");
  if (const std::string recipe = recipe_toml(config); checkpoint.recipe != recipe)
    throw usage_error(fmt::format("{} holds a run of another recipe: {}", folder.string(), recipe_difference(checkpoint.recipe, recipe)),
                      "leave --config and --set out to go on with its own recipe, or start a new run");
  return *std::move(found);
}

void check_same_data(const Checkpoint& checkpoint, const std::string& data_hash) {
  if (checkpoint.data_hash == data_hash) return;
  throw usage_error(fmt::format("the run was begun with other data (hash {:.12}..., now {:.12}...)", checkpoint.data_hash, data_hash),
                    "give its data with --set data.file=..., or start a new run")
      .mark_everywhere();
}

}  // namespace mnist_dist
