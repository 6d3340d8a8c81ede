#include "sweep/summary_check.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "config/recipes.h"
#include "train/checkpoint.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Summary {
  const Json& json;
  const fs::path& folder;

  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const {
    throw data_error(
        fmt::format("{}: {} contradicts the run's other files (got {}, expected {})",
                    (folder / "summary.json").string(), key, json.at(key).dump(), expected),
        "put the file back as it was; " + scoring_hint(folder));
  }
  void must_be(const std::string& key, const Json& expected) const {
    if (json.contains(key) && json.at(key) != expected) refuse(key, expected.dump());
  }
  void must_be_near(const std::string& key, double expected, double tolerance) const {
    if (json.contains(key) && !(std::abs(json.at(key).get<double>() - expected) < tolerance))
      refuse(key, fmt::format("{}", expected));
  }
};

/// The newest checkpoint of a finished run. A damaged one says nothing of the summary.
std::optional<Checkpoint> finished_checkpoint(const fs::path& folder) {
  try {
    std::optional<Found> found = newest_checkpoint(folder);
    if (found && found->fallback.empty() && found->checkpoint.finished)
      return std::move(found->checkpoint);
  } catch (const Error&) {
  }
  return std::nullopt;
}

}  // namespace

void check_summary_recipe(const Json& json, const fs::path& folder, const Config& recipe) {
  const Summary summary{json, folder};
  if (!json.contains("recipe") || !json.at("recipe").is_string() ||
      recipe_name(json.at("recipe").get<std::string>()) != recipe.name)
    summary.must_be("recipe", recipe.name);
  summary.must_be("seed", recipe.train.seed);
  summary.must_be("epochs", recipe.train.epochs);
  summary.must_be("parameter_count", parameter_count(recipe.model));
  summary.must_be("averaged", recipe.average.decay > 0);
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
    summary.refuse(correct, fmt::format("{:.4f} % of the images", 100 * share));
}

void check_summary_weights(const Json& json, const fs::path& folder) {
  const Summary summary{json, folder};
  for (const char* key : {"parameters_sha256", "raw_parameters_sha256", "data_hash"})
    if (json.contains(key) && !is_sha256(json.at(key).get<std::string>()))
      summary.refuse(key, "64 hexadecimal digits");
  const auto checkpoint = finished_checkpoint(folder);
  if (!checkpoint) return;
  const TrainState& state = checkpoint->state;
  const std::string raw = weights_sha256(state.parameters, state.norm_statistics);
  summary.must_be("raw_parameters_sha256", raw);
  summary.must_be("parameters_sha256",
                  state.average_parameters.empty()
                      ? raw
                      : weights_sha256(state.average_parameters, state.average_norm_statistics));
  summary.must_be("data_hash", checkpoint->data_hash);
}

}  // namespace mnist_dist
