#include "sweep/merge.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/shell_word.h"
#include "config/config.h"
#include "sweep/folder.h"
#include "sweep/record.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

Config recipe_of(const std::string& part, const SweepRecord& record) {
  return parse_config(record.recipe_text, (fs::path(part) / "config.toml").string());
}

/// Compares the parts with the first one, and with each other where they have the same seeds.
class Parts {
 public:
  void add(const std::string& part, const SweepRecord& record) {
    const std::string recipe = recipe_toml(recipe_of(part, record));
    const SweepIdentity& id = record.identity;
    if (first_.empty()) {
      first_ = part;
      recipe_ = recipe;
      data_hash_ = id.data_hash;
      fingerprint_ = id.fingerprint;
    }
    if (recipe != recipe_) refuse(part, "recipes", recipe_difference(recipe_, recipe));
    if (id.data_hash != data_hash_)
      refuse(part, "data", fmt::format("hash {:.12}... and {:.12}...", data_hash_, id.data_hash));
    if (id.fingerprint != fingerprint_)
      refuse(part, "bits",
             fmt::format("fingerprint {:.12}... and {:.12}...", fingerprint_, id.fingerprint));
    for (const SeedOutcome& outcome : record.outcomes) {
      const auto& [hash, where] =
          seeds_.try_emplace(outcome.seed, outcome.parameters_sha256, part).first->second;
      if (hash == outcome.parameters_sha256) continue;
      throw Error(
          ExitCode::internal,
          fmt::format("{} and {}: weights of seed {} differ (sha256 {:.12}... and {:.12}...)",
                      where, part, outcome.seed, hash, outcome.parameters_sha256),
          fmt::format("find the right one with: mnist-dist verify {} --seed {}", shell_word(where),
                      outcome.seed));
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& part, const char* what,
                           const std::string& difference) const {
    throw usage_error(
        fmt::format("{} and {} are sweeps of different {}: {}", first_, part, what, difference),
        "name sweeps of the same recipe, data and arithmetic");
  }

  std::string first_, recipe_, data_hash_, fingerprint_;
  std::map<std::uint64_t, std::pair<std::string, std::string>> seeds_;  ///< hash and part
};

}  // namespace

void merge_sweeps(const fs::path& out, const std::vector<std::string>& parts,
                  const std::string& command) {
  Parts compared;
  for (const std::string& part : parts) compared.add(part, read_record(part));
  make_folders(out.parent_path());
  for (const std::string& part : parts) {
    SweepRecord record = read_record(part);
    record.identity.command = command;
    open_sweep(out, recipe_of(part, record), record.identity);
    add_rows(out, part, record);
  }
}

}  // namespace mnist_dist
