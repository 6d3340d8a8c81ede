#include "sweep/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/lease.h"
#include "base/parse_number.h"
#include "sweep/places.h"
#include "sweep/recipe_hash.h"
#include "sweep/record_check.h"
#include "sweep/row.h"
#include "sweep/seeds.h"
#include "sweep/statistics.h"
#include "train/run_folder.h"

namespace mnist_dist {

namespace fs = std::filesystem;

namespace {

const char* const same = "choose a different --out, or continue with the original options";

/// Of the files that a sweep's processes write.
constexpr std::array<std::string_view, 8> file_names{"sweep.json",  "config.toml",  "seeds.csv",
                                                     "epochs.csv",  "errors.csv",   "summary.json",
                                                     "report.html", "histogram.svg"};

/// Whether a folder holds only the files of a start that was killed at once: config.toml is the
/// last file that it writes. A power failure may cut it off.
bool is_unused(const fs::path& folder) {
  const fs::directory_iterator entries(folder);
  return std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    const fs::path& path = entry.path();
    const fs::path name = path.filename();
    return name == "sweep.json" || is_of_lock(path) || is_temporary(path, file_names) ||
           (name == "config.toml" && !is_recipe(path)) ||
           ((name == "rows" || name == "runs") && fs::is_empty(path));
  });
}

void check_same_sweep(const fs::path& folder, const SweepIdentity& was, const SweepIdentity& now) {
  if (was.data.hash != now.data.hash)
    throw usage_error(fmt::format("{}: different data (got hash {:.12}..., expected {:.12}...)",
                                  folder.string(), now.data.hash, was.data.hash),
                      same);
  if (was.fingerprint != now.fingerprint || was.engine.name != now.engine.name)
    throw usage_error(
        fmt::format("{}: this program computes different bits (got fingerprint {:.12}... of {} {}, "
                    "expected {:.12}... of {} {})",
                    folder.string(), now.fingerprint, now.engine.name, now.engine.simd,
                    was.fingerprint, was.engine.name, was.engine.simd),
        fmt::format(
            "continue with that program and --engine {} --simd {}, or choose a different --out",
            was.engine.name, was.engine.simd));
  if (!now.target.empty() && Target(was.target).percent() != Target(now.target).percent())
    throw usage_error(
        fmt::format("{}: different target (got {} %, expected {} %)", folder.string(), now.target,
                    was.target),
        fmt::format("continue with --target {}, or choose a different --out", was.target));
}

/// Whole or not at all: a row that is not among the others would be trained again.
void make_rows_of_tables(const fs::path& folder, const FolderLock& lock) {
  const fs::path draft = folder / "rows.new";
  fs::remove_all(draft);
  make_folders(draft / "rows");
  const SweepRecord record = read_record(folder);
  add_rows(draft, folder, record);
  lock.check_in_place();
  rename_file(draft / "rows", folder / "rows");
  fs::remove_all(draft);
}

/// A process that was killed after it wrote a seed's row has left its claim. Only in sweeps whose
/// run folders can all be looked at in a moment.
void remove_leftovers_of_ended_seeds(const fs::path& folder, const SweepIdentity& identity) {
  const std::vector<std::uint64_t> seeds = parse_seeds(identity.seeds);
  if (seeds.size() > block_size) return;
  for (const std::uint64_t seed : seeds) {
    const fs::path run = seed_run_folder(folder, seed);
    if (!has_run_leftovers(run) || !fs::exists(row_file(folder, seed))) continue;
    if (auto lease = LeaseSeeker(lease_file(run), sweep_pace()).try_take()) {
      const FolderLock lock(run, std::move(*lease));
      remove_run_leftovers(run);
    }
  }
}

}  // namespace

void check_same_recipe(const fs::path& folder, const Config& recipe) {
  const fs::path file = folder / "config.toml";
  const Config recorded = parse_config(read_text_file(file), file.string());
  check_recipe_hash(folder, read_identity(folder), recorded);
  const std::string before = recipe_toml(recorded), after = recipe_toml(recipe);
  if (before != after)
    throw usage_error(
        fmt::format("{}: different recipe ({})", folder.string(), recipe_difference(before, after)),
        same);
}

SweepIdentity joined(const SweepIdentity& was, const SweepIdentity& now) {
  SweepIdentity joined = now;
  joined.started = was.started;
  joined.target = was.target;
  joined.seeds = join_seeds(was.seeds, now.seeds);
  joined.declared = was.declared;
  for (const Declaration& one : now.declared)
    if (std::ranges::find(was.declared, one.seeds, &Declaration::seeds) == was.declared.end())
      joined.declared.push_back(one);
  return joined;
}

SweepIdentity open_sweep(const fs::path& folder, const Config& recipe, const SweepIdentity& now) {
  const auto no_sweep = [&] {
    return usage_error(fmt::format("{} already exists and is not a sweep", folder.string()),
                       "choose a different --out");
  };
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) throw no_sweep();
  fs::create_directory(folder, error);  // not those above it, which may have been moved away
  if (error)
    throw data_error(fmt::format("cannot create {}: {}", folder.string(), error.message()),
                     "check the path, or choose a different --out");
  // Before a look inside: of two starts the later one must see the files of the first.
  const FolderLock lock = lock_sweep(folder);
  const bool begins = is_unused(folder);
  if (!begins && !fs::exists(folder / "sweep.json")) throw no_sweep();
  SweepIdentity identity = now;
  if (begins && now.target.empty()) identity.target = default_target;
  if (!begins) {
    const SweepIdentity was = read_identity(folder);
    check_same_recipe(folder, recipe);
    check_same_sweep(folder, was, now);
    identity = joined(was, now);
  }
  identity.recipe_sha256 = recipe_sha256(recipe);
  remove_leftovers_in(folder, file_names);
  if (!begins && !fs::exists(folder / "rows")) make_rows_of_tables(folder, lock);
  // A process that was stopped for long loses the lock, and others may have written since.
  lock.check_in_place();
  write_file_atomically(folder / "sweep.json", sweep_json(identity));
  lock.check_in_place();
  if (begins) write_file_atomically(folder / "config.toml", to_toml(recipe));
  make_folders(folder / "rows");
  make_folders(folder / "runs");
  remove_leftovers_of_ended_seeds(folder, identity);
  return identity;
}

void add_rows(const fs::path& folder, const fs::path& from, const SweepRecord& record) {
  for (const char* table : {"epochs.csv", "errors.csv"})
    if (!record.has_rows && !record.outcomes.empty() && !fs::exists(from / table))
      throw data_error(fmt::format("{}: no {} beside seeds.csv", from.string(), table),
                       "put the file back, or begin in a different folder");
  for (const SeedOutcome& outcome : record.outcomes)
    write_row(folder, record.identity.scored(), outcome);
}

FolderLock lock_sweep(const fs::path& folder) {
  return FolderLock(folder, sweep_pace(), FolderLock::IfTaken::wait);
}

LeasePace sweep_pace() {
  LeasePace pace;
  pace.running_keeps = false;
  const char* const name = "MNIST_DIST_LEASE_SECONDS";
  const char* text = std::getenv(name);
  if (!text) return pace;
  const auto stale = parse_number<double>(text);
  if (!stale || !(*stale >= 0.5 && *stale <= 3600))
    throw usage_error(
        fmt::format("{}: not a number of seconds (got \"{}\", expected 0.5 to 3600)", name, text),
        fmt::format("set {0} to a number from 0.5 to 3600, or unset {0}", name));
  pace.stale = std::chrono::milliseconds(static_cast<int>(1000 * *stale));
  pace.renewal = pace.stale / 6;
  return pace;
}

}  // namespace mnist_dist
