#include "cli/config_options.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "config/check.h"
#include "config/recipes.h"
#include "train/data_fit.h"

namespace mnist_dist {

Config ConfigOptions::load(Shape shape) const {
  Config config = load_config(recipe, settings, recipe_folders());
  if (given || recipe == default_recipe)
    reject_keys_without_effect(config);  // not those that --resume takes from a run's folder
  if (shape == Shape::of_data) fit_to_data(config);
  return config;
}

std::string ConfigOptions::title(const Config& config) const {
  try {
    const std::string file = find_recipe(recipe, recipe_folders());
    if (!settings.empty() && std::filesystem::is_regular_file(file)) {  // a pipe is read once
      const Config original = load_config(file, {}, {});
      return recipe_title(config, &original);
    }
  } catch (const Error&) {
    // Only with its settings the recipe is whole.
  }
  return recipe_title(config);
}

void reject_seed_setting(const std::vector<std::string>& settings, const std::string& hint) {
  for (const std::string& setting : settings)
    if (setting.starts_with("train.seed="))
      throw usage_error(fmt::format("--set {}: this command trains seeds of its own", setting),
                        hint);
}

void add_config_options(CLI::App& app, ConfigOptions& options) {
  app.add_option("--config", options.recipe, "Recipe, by name or file")
      ->type_name("NAME|FILE")
      ->capture_default_str()
      ->each([&options](const std::string&) { options.given = true; });
  // One value per flag, otherwise "--set a.b=1 resume" would take the next word, too.
  app.add_option("--set", options.settings, "Change a key of the recipe. May be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace mnist_dist
