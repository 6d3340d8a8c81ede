#include "sweep/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "train/run_folder.h"

namespace mnist_dist {

namespace fs = std::filesystem;

namespace {

const char* const same = "choose another --out, or go on as it was begun";

/// Of the files that a sweep's processes write.
constexpr std::array<std::string_view, 8> file_names{"sweep.json",  "config.toml",  "seeds.csv",
                                                     "epochs.csv",  "errors.csv",   "summary.json",
                                                     "report.html", "histogram.svg"};

/// Whether a folder holds nothing but what a start leaves that is killed at once: config.toml is the last file that it writes.
bool is_unused(const fs::path& folder) {
  const fs::directory_iterator entries(folder);
  return std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return entry.path().filename() == "sweep.json" || is_of_lock(entry.path()) ||
           is_temporary(entry.path(), file_names);
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
  fs::create_directory(folder_, error);  // not those above it, which may have been moved away
  if (error) throw data_error(fmt::format("cannot create {}: {}", folder_.string(), error.message()), "check the path, or choose another --out");
  lock_.emplace(folder_);  // before a look inside: of two starts the later one is to see what the first one wrote
  const bool begins = is_unused(folder_);
  if (!begins && !fs::exists(folder_ / "sweep.json")) throw no_sweep();
  if (begins)
    record_.identity = identity;
  else
    go_on(recipe, identity);
  remove_leftovers_in(folder_, file_names);
  record_.recipe_text = to_toml(recipe);
  write_file_atomically(folder_ / "sweep.json", sweep_json(record_.identity));
  if (begins) write_file_atomically(folder_ / "config.toml", record_.recipe_text);
  make_folders(folder_ / "runs");
  for (const std::uint64_t seed : done_)
    remove_run_leftovers(folder_ / "runs" / fmt::format("seed{}", seed));
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

/// Whatever wrote them, rows that are there are never lost.
void SweepFolder::take_rows_on_disk() {
  for (SeedOutcome& outcome : read_record(folder_).outcomes)
    if (done_.insert(outcome.seed).second) record_.outcomes.push_back(std::move(outcome));
}

void SweepFolder::add(SeedOutcome outcome) {
  lock_->check_in_place();
  take_rows_on_disk();
  if (!done_.insert(outcome.seed).second) return;  // another sweep wrote it
  record_.outcomes.push_back(std::move(outcome));
  // Written whole: at a few hundred kilobytes a minute that costs nothing, and no crash leaves half a row. seeds.csv last, since it decides what is
  // done.
  write_file_atomically(folder_ / "epochs.csv", epochs_csv(record_));
  write_file_atomically(folder_ / "errors.csv", errors_csv(record_));
  write_file_atomically(folder_ / "seeds.csv", seeds_csv(record_));
}

}  // namespace mnist_dist
