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
#include "sweep/statistics.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Compares the parts with the first one, and with each other where they have the same seeds.
class Parts {
 public:
  void add(const std::string& part, const SweepRecord& record) {
    const Config recipe =
        parse_config(record.recipe_text, (fs::path(part) / "config.toml").string());
    const SweepIdentity& id = record.identity;
    if (first_.empty()) {
      first_ = part;
      recipe_ = recipe;
      all_ = id;
    }
    if (const std::string is = recipe_toml(recipe), expected = recipe_toml(recipe_); is != expected)
      reject(part, "recipes", recipe_difference(expected, is));
    if (id.data.hash != all_.data.hash)
      reject(part, "data",
             fmt::format("hash {:.12}... and {:.12}...", all_.data.hash, id.data.hash));
    if (id.fingerprint != all_.fingerprint)
      reject(part, "bits",
             fmt::format("fingerprint {:.12}... and {:.12}...", all_.fingerprint, id.fingerprint));
    if (id.engine.name != all_.engine.name)
      reject(part, "engines", fmt::format("{} and {}", all_.engine.name, id.engine.name));
    if (Target(id.target).percent() != Target(all_.target).percent())
      reject(part, "targets", fmt::format("{} % and {} %", all_.target, id.target));
    all_ = joined(all_, id);
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
  const Config& recipe() const { return recipe_; }
  /// Of all parts.
  const SweepIdentity& identity() const { return all_; }

 private:
  [[noreturn]] void reject(const std::string& part, const char* what,
                           const std::string& difference) const {
    throw usage_error(fmt::format("{} and {}: different {} ({})", first_, part, what, difference),
                      "name sweeps of the same recipe, data, arithmetic and target");
  }

  std::string first_;
  Config recipe_;
  SweepIdentity all_;
  std::map<std::uint64_t, std::pair<std::string, std::string>> seeds_;  ///< hash and part
};

/// A part is read while OUT is written.
void check_outside(const fs::path& out, const std::vector<std::string>& parts) {
  fs::path at = fs::weakly_canonical(fs::absolute(out));
  for (bool is_out = true; at.has_relative_path(); at = at.parent_path(), is_out = false)
    for (const std::string& part : parts)
      if (std::error_code error; fs::equivalent(at, part, error))
        throw usage_error(fmt::format("OUT {} {} {}, which is one of the sweeps to join",
                                      out.string(), is_out ? "is" : "lies inside", part),
                          "name an OUT outside of these sweeps");
}

}  // namespace

void merge_sweeps(const fs::path& out, const std::vector<std::string>& parts,
                  const std::string& command) {
  check_outside(out, parts);
  Parts compared;
  if (fs::exists(out / "sweep.json") && fs::exists(out / "config.toml"))
    compared.add(out.string(), read_record(out));
  for (const std::string& part : parts) compared.add(part, read_record(part));
  make_folders(out.parent_path());
  // With all seeds: a merge that was interrupted leaves an incomplete sweep.
  SweepIdentity all = compared.identity();
  all.command = command;
  open_sweep(out, compared.recipe(), all);
  for (const std::string& part : parts) add_rows(out, part, read_record(part));
}

}  // namespace mnist_dist
