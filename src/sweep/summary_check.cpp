#include "sweep/summary_check.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"
#include "config/recipes.h"
#include "sweep/engine_check.h"
#include "sweep/rates_check.h"
#include "train/agreement.h"
#include "train/checkpoint_check.h"
#include "train/run_folder.h"
#include "train/schedule.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Summary {
  const Json& json;
  const fs::path& folder;

  [[noreturn]] void reject(const std::string& key, const std::string& expected) const {
    throw data_error(
        fmt::format("{}: {} contradicts the run's other files (got {}, expected {})",
                    (folder / "summary.json").string(), key, json.at(key).dump(), expected),
        "put the file back as it was, or " + scoring_hint(folder));
  }
  void must_be(const std::string& key, const Json& expected) const {
    if (json.contains(key) && json.at(key) != expected) reject(key, expected.dump());
  }
  void must_be_near(const std::string& key, double expected, double tolerance) const {
    if (json.contains(key) && !(std::abs(json.at(key).get<double>() - expected) < tolerance))
      reject(key, fmt::format("{}", expected));
  }
};

void check_engine(const Summary& summary) {
  const auto text = [&](const char* key) {
    return summary.json.contains(key) ? summary.json.at(key).get<std::string>() : "";
  };
  if (!summary.json.contains("engine")) return;
  if (const auto unknown =
          unknown_engine({.name = text("engine"), .device = text("device"), .simd = text("simd")}))
    if (summary.json.contains(unknown->key)) summary.reject(unknown->key, unknown->expected);
}

void check_steps(const Summary& summary, const Config& recipe) {
  if (!summary.json.contains("steps")) return;
  const auto steps = summary.json.at("steps").get<std::int64_t>();
  const std::int64_t epochs = recipe.train.epochs, most = recipe.train.max_steps;
  if (const int steps_per_epoch = steps_per_epoch_of(summary.json, recipe); steps_per_epoch > 0) {
    summary.must_be("steps", total_steps(recipe, steps_per_epoch));
  } else if (steps < 1 || (most > 0 && steps > most)) {
    summary.reject("steps", most > 0 ? fmt::format("1 to {}", most) : "at least 1");
  } else if (steps % epochs != 0 && steps != most) {
    summary.reject("steps", fmt::format("a multiple of {} epochs", epochs));
  }
}

}  // namespace

// A damaged checkpoint is no evidence against the summary.
std::optional<Checkpoint> finished_checkpoint(const fs::path& folder) {
  try {
    std::optional<Found> found = newest_checkpoint(folder);
    if (found && found->fallback.empty() && found->checkpoint.finished)
      return std::move(found->checkpoint);
  } catch (const Error&) {
  }
  return std::nullopt;
}

void check_recipe_in(const fs::path& folder, const Config& recipe, const Checkpoint& checkpoint) {
  const auto contradiction = [&](const std::string& got, const std::string& expected) {
    return data_error(fmt::format("{} contradicts the checkpoint (got \"{}\", expected \"{}\")",
                                  (folder / "config.toml").string(), got, expected),
                      "put the file back as it was, or " + scoring_hint(folder));
  };
  if (recipe.train.seed != checkpoint.seed)
    throw contradiction(fmt::format("seed = {}", recipe.train.seed),
                        fmt::format("seed = {}", checkpoint.seed));
  std::string trained;
  try {
    // Written again, because a checkpoint of an older version does not have the newest keys.
    trained = recipe_toml(checked_recipe(checkpoint, folder / "checkpoint.h5"));
  } catch (const Error&) {
    return;
  }
  if (const std::string text = recipe_toml(recipe); text != trained) {
    const auto [got, expected] = first_difference(text, trained);
    throw contradiction(got, expected);
  }
}

int steps_per_epoch_of(const Json& json, const Config& recipe) {
  const auto steps = json.value("steps", std::int64_t{0});
  return known_steps_per_epoch(recipe, json.value("data_hash", ""),
                               recipe.train.max_steps == 0 ? steps : 0);
}

void check_summary_recipe(const Json& json, const fs::path& folder, const Config& recipe) {
  const Summary summary{json, folder};
  if (!json.contains("recipe") || !json.at("recipe").is_string() ||
      recipe_name(json.at("recipe").get<std::string>()) != recipe.name)
    summary.must_be("recipe", recipe.name);
  summary.must_be("seed", recipe.train.seed);
  summary.must_be("epochs", recipe.train.epochs);
  summary.must_be("parameter_count", parameter_count(recipe.model));
  summary.must_be("averaged", recipe.average.decay > 0);
  check_engine(summary);
  check_steps(summary, recipe);
}

void check_summary_scores(const Json& json, const fs::path& folder, const Config& recipe,
                          const Curve& curve, const std::string& scored) {
  const Summary summary{json, folder};
  const std::string final = "final_" + scored + "_accuracy",
                    correct = "final_" + scored + "_correct", loss = "final_" + scored + "_loss";
  summary.must_be_near(final, curve.final_accuracy, accuracy_tolerance);
  summary.must_be_near("best_" + scored + "_accuracy", curve.best_accuracy, accuracy_tolerance);
  summary.must_be("best_epoch", curve.best_epoch);
  if (recipe.average.decay == 0) summary.must_be_near(loss, curve.raw_loss, loss_tolerance);
  if (!json.contains(final) || !json.contains(correct)) return;
  const double right = json.at(correct).get<double>(), share = json.at(final).get<double>() / 100;
  // The number of test images is not recorded, but it is a whole one.
  const double images = recipe.data.split.empty() ? (share > 0 ? std::round(right / share) : 1)
                                                  : recipe.data.split[1];
  if (right < 0 || right != std::round(right) || std::abs(right - share * images) > 1e-3)
    summary.reject(correct, fmt::format("{:.4f} % of the images", 100 * share));
}

void check_summary_weights(const Json& json, const fs::path& folder,
                           const std::optional<Checkpoint>& checkpoint) {
  const Summary summary{json, folder};
  for (const char* key : {"parameters_sha256", "raw_parameters_sha256", "data_hash"})
    if (json.contains(key) && !is_sha256(json.at(key).get<std::string>()))
      summary.reject(key, "64 hexadecimal digits");
  if (!checkpoint) return;
  const TrainState& state = checkpoint->state;
  const std::string raw = weights_sha256(state.parameters, state.norm_statistics);
  summary.must_be("raw_parameters_sha256", raw);
  summary.must_be("parameters_sha256",
                  state.average_parameters.empty()
                      ? raw
                      : weights_sha256(state.average_parameters, state.average_norm_statistics));
  summary.must_be("data_hash", checkpoint->data_hash);
  summary.must_be("steps", state.updates);
}

}  // namespace mnist_dist
