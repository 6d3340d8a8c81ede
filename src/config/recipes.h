#pragma once
#include <string>
#include <vector>

#include "config/config.h"

namespace mnist_dist {

/// Where recipes are looked up by name, in this order: ./configs, then `configs` in each of
/// `share_folders()` (base/share.h).
std::vector<std::string> recipe_folders();

/// The file of a recipe given by name ("step3": the first FOLDER/step3.toml) or by path (it ends in
/// .toml or has a slash, and may be a pipe).
/// Throws: Error (usage) with the nearest recipe's name when there is none.
std::string find_recipe(const std::string& name_or_file, const std::vector<std::string>& folders);

/// How results name a recipe: its name, with " (modified)" behind it where the recipe of that name
/// in `recipe_folders()` differs in keys that decide a result. `original`: the recipe before --set,
/// where it is not of those folders.
std::string recipe_title(const Config& config, const Config* original = nullptr);
/// The name in a title.
std::string recipe_name(const std::string& title);

}  // namespace mnist_dist
