#include "sweep/folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "train/run_folder.h"

namespace mnist_dist {

namespace fs = std::filesystem;

namespace {

const char* const same = "choose another --out, or go on as it was begun";

/// Whether a folder holds nothing but what a start leaves that is killed at once: config.toml is the last file that it writes.
bool is_unused(const fs::path& folder) {
  const fs::directory_iterator entries(folder);
  return std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    return name.starts_with("sweep.json") || name.starts_with("config.toml.tmp");
  });
}

}  // namespace

void check_same_recipe(const fs::path& folder, const Config& recipe) {
  const fs::path file = folder / "config.toml";
  const std::string before = recipe_toml(parse_config(read_text_file(file), file.string())), after = recipe_toml(recipe);
  if (before != after)
    throw usage_error(fmt::format("{} holds a sweep of another recipe: {}", folder.string(), recipe_difference(before, after)), same);
}

SweepFolder::SweepFolder(fs::path folder, const Config& recipe, const SweepIdentity& identity) : folder_(std::move(folder)) {
  const auto no_sweep = [&] { return usage_error(fmt::format("{} is there already and holds no sweep", folder_.string()), "choose another --out"); };
  std::error_code error;
  if (fs::exists(folder_, error) && !fs::is_directory(folder_, error)) throw no_sweep();
  fs::create_directories(folder_, error);
  if (error) throw data_error(fmt::format("cannot create {}: {}", folder_.string(), error.message()), "check the path, or choose another --out");
  lock_.emplace(folder_);  // before a look inside: of two starts the later one is to see what the first one wrote
  const bool begins = is_unused(folder_);
  if (!begins && !fs::exists(folder_ / "sweep.json")) throw no_sweep();
  if (begins)
    record_.identity = identity;
  else
    go_on(recipe, identity);
  record_.recipe_text = to_toml(recipe);
  write_file_atomically(folder_ / "sweep.json", sweep_json(record_.identity));
  if (begins) write_file_atomically(folder_ / "config.toml", record_.recipe_text);
}

void SweepFolder::go_on(const Config& recipe, const SweepIdentity& now) {
  record_ = read_record(folder_);
  const SweepIdentity& was = record_.identity;
  check_same_recipe(folder_, recipe);
  if (was.data_hash != now.data_hash)
    throw usage_error(fmt::format("{} holds a sweep over other data (hash {:.12}..., now {:.12}...)", folder_.string(), was.data_hash, now.data_hash),
                      same);
  if (was.fingerprint != now.fingerprint)
    throw usage_error(
        fmt::format("this program gives other bits than the one that began {}: fingerprint {:.12}... ({} {}) there, {:.12}... ({} {}) here",
                    folder_.string(), was.fingerprint, was.engine, was.simd, now.fingerprint, now.engine, now.simd),
        fmt::format("go on with that program and --engine {} --simd {}, or choose another --out", was.engine, was.simd));
  const std::string started = was.started;
  record_.identity = now;
  record_.identity.started = started;
  for (const SeedOutcome& outcome : record_.outcomes) done_.insert(outcome.seed);
}

void SweepFolder::add(SeedOutcome outcome) {
  done_.insert(outcome.seed);
  record_.outcomes.push_back(std::move(outcome));
  lock_->check_in_place();
  // Written whole: at a few hundred kilobytes a minute that costs nothing, and no crash leaves half a row. seeds.csv last, since it decides what is
  // done.
  write_file_atomically(folder_ / "epochs.csv", epochs_csv(record_));
  write_file_atomically(folder_ / "errors.csv", errors_csv(record_));
  write_file_atomically(folder_ / "seeds.csv", seeds_csv(record_));
}

}  // namespace mnist_dist
