#include "sweep/record_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/sha256.h"
#include "config/recipes.h"
#include "sweep/engine_check.h"
#include "sweep/places.h"
#include "sweep/rates_check.h"
#include "sweep/recipe_hash.h"
#include "sweep/row.h"
#include "sweep/seeds.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

double percent_of(std::int64_t correct, std::int64_t images) {
  return 100.0 * static_cast<double>(correct) / static_cast<double>(images);
}

std::string unknown_text(const UnknownEngine& unknown) {
  return fmt::format("unknown {} (got \"{}\", expected {})", unknown.key, unknown.got,
                     unknown.expected);
}

/// sweep.json against config.toml. Gives the recipe.
Config check_identity(const fs::path& folder, const SweepRecord& record) {
  const SweepIdentity& id = record.identity;
  const std::string file = (folder / "sweep.json").string();
  const auto must_be = [&](const char* key, const auto& got, const auto& expected) {
    if (got == expected) return;
    throw changed_file_error(
        file, fmt::format("{} is not the recipe's (got {}, expected {})", key, got, expected));
  };
  if (!is_sha256(id.data.hash))
    throw changed_file_error(file,
                             fmt::format("data_hash: not a SHA-256 (got \"{}\")", id.data.hash));
  if (!is_sha256(id.fingerprint) && id.fingerprint != "diverged")
    throw changed_file_error(
        file, fmt::format("fingerprint: not a SHA-256 (got \"{}\")", id.fingerprint));
  if (const auto unknown = unknown_engine(id.engine))
    throw changed_file_error(file, unknown_text(*unknown));
  const fs::path recipe_file = folder / "config.toml";
  try {
    const Config recipe = parse_config(record.recipe_text, recipe_file.string());
    must_be("recipe", recipe_name(id.recipe), recipe.name);
    must_be("parameter_count", id.parameter_count, parameter_count(recipe.model));
    must_be("epochs", id.epochs, recipe.train.epochs);
    must_be("scored", std::string(id.scored()),
            std::string(scored_name(!recipe.data.split.empty())));
    if (id.validation) must_be("images", id.images, std::int64_t{recipe.data.split[1]});
    check_recipe_hash(folder, id, recipe);
    return recipe;
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage) throw;
    throw damaged_file_error(recipe_file.string(), error.what());
  }
}

/// One row of seeds.csv: whether its cells agree.
class Row {
 public:
  Row(const fs::path& folder, const SeedOutcome& outcome, std::size_t index,
      const SweepRecord& record)
      : o_(outcome),
        scored_(record.identity.scored()),
        where_(record.has_rows ? row_file(folder, o_.seed).string()
                               : fmt::format("{}: row {} (seed {})",
                                             (folder / "seeds.csv").string(), index + 1, o_.seed)) {
  }

  void check_scores(const Config& recipe) const {
    const std::string final = "final_" + scored_ + "_accuracy",
                      raw = "raw_" + scored_ + "_accuracy", best = "best_" + scored_ + "_accuracy";
    must_be(final, o_.final_accuracy, percent_of(o_.final_correct, o_.images));
    for (const auto& [name, value] :
         {std::pair(raw, o_.raw_accuracy), std::pair(best, o_.best_accuracy)})
      if (!same_accuracy(value, percent_of(count_of(value), o_.images)))
        reject(fmt::format("{}: not a share of {} images (got {:.4f})", name, o_.images, value));
    // The last epoch is always scored, so the best is never below the end.
    if (count_of(o_.best_accuracy) < o_.final_correct)
      reject(fmt::format("{} is below {} (got {:.4f}, expected at least {:.4f})", best, final,
                         o_.best_accuracy, o_.final_accuracy));
    if (o_.best_epoch < 1 || o_.best_epoch > recipe.train.epochs)
      reject(fmt::format("best_epoch: not an epoch of the run (got {}, expected 1 to {})",
                         o_.best_epoch, recipe.train.epochs));
    for (const auto& [name, hash] : {std::pair("parameters_sha256", o_.parameters_sha256),
                                     std::pair("raw_parameters_sha256", o_.raw_parameters_sha256)})
      if (!is_sha256(hash)) reject(fmt::format("{}: not a SHA-256 (got \"{}\")", name, hash));
    if (recipe.average.decay > 0) return;
    must_be(raw, o_.raw_accuracy, o_.final_accuracy);
    if (o_.raw_parameters_sha256 != o_.parameters_sha256)
      reject("raw_parameters_sha256 is not parameters_sha256, yet the recipe does not average");
  }

  void check_engine(const SweepIdentity& id) const {
    if (const auto unknown = unknown_engine(o_.engine)) reject(unknown_text(*unknown));
    // SIMD targets give the same bits, engines do not.
    if (o_.engine.name != id.engine.name)
      reject(fmt::format("engine is not as in sweep.json (got {}, expected {})", o_.engine.name,
                         id.engine.name));
  }

  void check_curve(const Config& recipe, const Curve& curve) const {
    if (o_.diverged) {
      if (curve.epochs > recipe.train.epochs)
        reject(fmt::format("epochs.csv: wrong number of epochs (got {}, expected at most {})",
                           curve.epochs, recipe.train.epochs));
      return;
    }
    // A run that train.max_steps ends may have fewer.
    if (curve.epochs > recipe.train.epochs ||
        (recipe.train.max_steps == 0 && curve.epochs < recipe.train.epochs))
      reject(fmt::format("epochs.csv: wrong number of epochs (got {}, expected {})", curve.epochs,
                         recipe.train.epochs));
    const std::string of = " in epochs.csv";
    must_be("final_" + scored_ + "_accuracy" + of, curve.final_accuracy, o_.final_accuracy);
    must_be("raw_" + scored_ + "_accuracy" + of, curve.raw_accuracy, o_.raw_accuracy);
    must_be("best_" + scored_ + "_accuracy" + of, curve.best_accuracy, o_.best_accuracy);
    if (recipe.average.decay == 0 && std::abs(curve.raw_loss - o_.final_loss) > loss_tolerance)
      reject(fmt::format("final_{}_loss in epochs.csv (got {:.6f}, expected {:.6f})", scored_,
                         curve.raw_loss, o_.final_loss));
    if (curve.best_epoch != o_.best_epoch)
      reject(fmt::format("best_epoch in epochs.csv (got {}, expected {})", curve.best_epoch,
                         o_.best_epoch));
  }

  void check_mistakes(const Config& recipe, std::map<int, int>& labels) const {
    const auto wrong = static_cast<std::int64_t>(o_.mistakes.size());
    if (const std::int64_t expected = o_.diverged ? 0 : o_.images - o_.final_correct;
        wrong != expected)
      reject(fmt::format("mistakes in errors.csv (got {}, expected {})", wrong, expected));
    // Validation rows are a block of the file's training rows, whose number is not recorded.
    const std::vector<int>& split = recipe.data.split;
    const bool last_rows = split.size() == 2, any_block = split.size() == 3 && split[2] == 0;
    std::int64_t first = last_rows ? split[0] : 0;
    if (split.size() == 3 && split[2] > 0) first = std::int64_t{split[2] - 1} * split[1];
    if (any_block && wrong > 0) first = o_.mistakes.front().index / split[1] * split[1];
    std::set<int> seen;
    for (const Mistake& m : o_.mistakes) {
      const auto bad = [&](const std::string& what) {
        reject(fmt::format("errors.csv names image {}: {}", m.index, what));
      };
      const std::int64_t lowest = labels.empty() ? m.index : labels.begin()->first;
      const std::int64_t highest = labels.empty() ? m.index : labels.rbegin()->first;
      const bool scored = last_rows ? m.index - lowest < o_.images && highest - m.index < o_.images
                                    : m.index - first < o_.images;
      if (m.index < first || !scored) bad("it was not scored");
      if (m.label == m.prediction)
        bad(fmt::format("label {} predicted as {} is not a mistake", m.label, m.prediction));
      if (!seen.insert(m.index).second) bad("twice");
      if (const int label = labels.emplace(m.index, m.label).first->second; label != m.label)
        bad(fmt::format("label {} here, {} for a different seed", m.label, label));
    }
  }

  [[noreturn]] void reject(const std::string& what) const {
    throw changed_file_error(where_, what);
  }

 private:
  std::int64_t count_of(double percent) const {
    return std::llround(percent / 100 * static_cast<double>(o_.images));
  }
  void must_be(const std::string& name, double got, double expected) const {
    if (!same_accuracy(got, expected))
      reject(
          fmt::format("{} contradicts the row (got {:.4f}, expected {:.4f})", name, got, expected));
  }

  const SeedOutcome& o_;
  const std::string scored_, where_;
};

}  // namespace

void check_recipe_hash(const fs::path& folder, const SweepIdentity& identity,
                       const Config& recipe) {
  const std::string hash = recipe_sha256(recipe);
  if (identity.recipe_sha256.empty() || identity.recipe_sha256 == hash) return;
  throw changed_file_error(
      (folder / "config.toml").string(),
      fmt::format("the recipe is not the one in sweep.json (got SHA-256 {:.12}..., expected "
                  "{:.12}...)",
                  hash, identity.recipe_sha256));
}

std::vector<std::uint64_t> undeclared_seeds(const SweepRecord& record) {
  std::vector<std::uint64_t> declared = parse_seeds(record.identity.seeds), undeclared;
  std::ranges::sort(declared);
  for (const SeedOutcome& outcome : record.outcomes)
    if (!std::ranges::binary_search(declared, outcome.seed)) undeclared.push_back(outcome.seed);
  return undeclared;
}

void check_record(const fs::path& folder, const SweepRecord& record) {
  const Config recipe = check_identity(folder, record);
  const std::vector<double> rates =
      last_rates(recipe, known_steps_per_epoch(recipe, record.identity.data.hash));
  // Rows that no start declared would not be counted.
  if (const auto undeclared = undeclared_seeds(record); !undeclared.empty())
    throw changed_file_error((folder / "sweep.json").string(),
                             fmt::format("seeds without seed {}, which has a row (got \"{}\")",
                                         undeclared.front(), record.identity.seeds));
  const bool has_epochs = record.has_rows || fs::exists(folder / "epochs.csv"),
             has_errors = record.has_rows || fs::exists(folder / "errors.csv");
  std::map<int, int> labels;                   // by image
  std::map<std::string, std::uint64_t> seeds;  // by weights
  for (std::size_t i = 0; i < record.outcomes.size(); ++i) {
    const SeedOutcome& outcome = record.outcomes[i];
    const Row row(folder, outcome, i, record);
    row.check_engine(record.identity);
    if (!outcome.diverged) {
      row.check_scores(recipe);
      // A copied row would stand for a seed that is missing.
      const auto [same, is_new] = seeds.emplace(outcome.raw_parameters_sha256, outcome.seed);
      if (!is_new) row.reject(fmt::format("it has the weights of seed {}", same->second));
    }
    if (has_epochs) {
      row.check_curve(recipe, curve_of(outcome.epochs));
      check_rates(outcome.epochs, rates,
                  record.has_rows ? epochs_of_row(row_file(folder, outcome.seed).string())
                                  : epochs_of_table(folder / "epochs.csv", outcome.seed));
    }
    if (has_errors) row.check_mistakes(recipe, labels);
  }
}

}  // namespace mnist_dist
