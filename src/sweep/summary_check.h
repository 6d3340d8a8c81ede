#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "config/config.h"
#include "train/checkpoint.h"
#include "train/metrics.h"

namespace mnist_dist {

// A run's summary.json against the run's other files. Keys that an older program did not write are
// not compared. All throw Error (data) naming the key, or nlohmann's exceptions where a value has
// the wrong type.

/// The values that the recipe decides: its name, seed, epochs, parameters, whether it averages and
/// how many steps it has. And the names of the engine.
void check_summary_recipe(const nlohmann::ordered_json& summary,
                          const std::filesystem::path& folder, const Config& recipe);

/// Steps per epoch, as the recipe and the summary's data and steps decide. 0: unknown.
int steps_per_epoch_of(const nlohmann::ordered_json& summary, const Config& recipe);

/// The scores, against metrics.csv and each other. `scored`: "test" or "validation".
void check_summary_scores(const nlohmann::ordered_json& summary,
                          const std::filesystem::path& folder, const Config& recipe,
                          const Curve& curve, const std::string& scored);

/// The hashes and the number of steps, against the checkpoint where there is a whole and finished
/// one.
void check_summary_weights(const nlohmann::ordered_json& summary,
                           const std::filesystem::path& folder,
                           const std::optional<Checkpoint>& checkpoint);

/// The checkpoint of a finished run, where there is a whole one.
std::optional<Checkpoint> finished_checkpoint(const std::filesystem::path& folder);

/// Compares config.toml with the recipe and the seed that the checkpoint was trained with.
void check_recipe_in(const std::filesystem::path& folder, const Config& recipe,
                     const Checkpoint& checkpoint);

}  // namespace mnist_dist
