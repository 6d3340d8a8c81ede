#pragma once
#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "config/config.h"

namespace mnist_dist {

/// The recipe that runs when none is named.
inline constexpr const char* default_recipe = "step5";

/// Whose shape a recipe's model gets: that of its data file, or the recipe's own.
enum class Shape { of_data, of_recipe };

/// --config and --set, the same in every command that has a recipe.
struct ConfigOptions {
  std::string recipe = default_recipe;  ///< name or file
  bool given = false;                   ///< whether --config was given
  std::vector<std::string> settings;    ///< "section.key=value", in order
  /// Throws: Error (usage), see load_config, reject_keys_without_effect and fit_to_data.
  Config load(Shape shape = Shape::of_data) const;
  /// recipe_title of load()'s result, also for a recipe in a file of the user's own.
  std::string title(const Config& config) const;
};

/// Declares them on a subcommand. The values are in `options` after parsing.
void add_config_options(CLI::App& app, ConfigOptions& options);

/// For commands that choose the seeds. `hint`: the option for seeds.
/// Throws: Error (usage).
void reject_seed_setting(const std::vector<std::string>& settings, const std::string& hint);

}  // namespace mnist_dist
