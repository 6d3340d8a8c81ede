#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/config.h"
#include "sweep/metrics_check.h"

namespace mnist_dist {

// A run's summary.json against the run's other files. Keys that an older program did not write are
// not compared. All throw Error (data) naming the key; nlohmann's exceptions where a value has the
// wrong type.

/// What the recipe decides: its name, seed, epochs, parameters, and whether it averages.
void check_summary_recipe(const nlohmann::ordered_json& summary,
                          const std::filesystem::path& folder, const Config& recipe);

/// The scores, against metrics.csv and each other. `scored`: "test" or "validation".
void check_summary_scores(const nlohmann::ordered_json& summary,
                          const std::filesystem::path& folder, const Config& recipe,
                          const Curve& curve, const std::string& scored);

/// The hashes, against the checkpoint where there is a whole and finished one.
void check_summary_weights(const nlohmann::ordered_json& summary,
                           const std::filesystem::path& folder);

}  // namespace mnist_dist
