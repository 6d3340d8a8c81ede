#include "cli/config_options.h"

#include "config/recipes.h"

namespace mnist_dist {

Config ConfigOptions::load() const { return load_config(recipe, settings, recipe_folders()); }

void add_config_options(CLI::App& app, ConfigOptions& options) {
  app.add_option("--config", options.recipe, "Recipe, by name or file")
      ->type_name("NAME|FILE")
      ->capture_default_str()
      ->each([&options](const std::string&) { options.given = true; });
  // One value a flag, else "--set a.b=1 resume" would swallow what follows.
  app.add_option("--set", options.settings, "Change a key of the recipe; may be repeated")->type_name("SECTION.KEY=VALUE")->allow_extra_args(false);
}

}  // namespace mnist_dist
