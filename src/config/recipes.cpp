#include "config/recipes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/share.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> known_recipes(const std::vector<std::string>& folders) {
  std::set<std::string> names;
  for (const auto& folder : folders)
    for (const fs::path name : entry_names(folder))
      if (name.extension() == ".toml") names.insert(name.stem().string());
  return {names.begin(), names.end()};
}

constexpr std::string_view modified = " (modified)";

}  // namespace

std::string recipe_title(const Config& config, const Config* original) {
  const auto titled = [&](Config known) {
    fit_model(known.model, config.model.side, config.model.classes);
    const bool same = recipe_toml(known) == recipe_toml(config);
    return same ? config.name : fmt::format("{}{}", config.name, modified);
  };
  for (const std::string& folder : recipe_folders()) {
    const fs::path file = fs::path(folder) / (config.name + ".toml");
    if (!fs::is_regular_file(file)) continue;
    try {
      return titled(load_config(file.string(), {}, {}));
    } catch (const Error&) {
      break;  // not a recipe: no name to take
    }
  }
  return original ? titled(*original) : config.name;
}

std::string recipe_name(const std::string& title) {
  return title.ends_with(modified) ? title.substr(0, title.size() - modified.size()) : title;
}

std::vector<std::string> recipe_folders() {
  std::vector<std::string> folders{"configs"};
  for (const fs::path& folder : share_folders()) folders.push_back((folder / "configs").string());
  return folders;
}

std::string find_recipe(const std::string& name_or_file, const std::vector<std::string>& folders) {
  const bool is_file =
      name_or_file.ends_with(".toml") || name_or_file.find('/') != std::string::npos;
  if (is_file) {
    const fs::file_status status = fs::status(name_or_file);
    if (fs::is_regular_file(status) || fs::is_fifo(status)) return name_or_file;
    if (fs::exists(status))
      throw usage_error(fmt::format("{}: not a recipe (got {})", name_or_file,
                                    fs::is_directory(status) ? "a folder" : "a device"),
                        "name a recipe or a TOML file");
    throw usage_error(fmt::format("no recipe {}", name_or_file),
                      fmt::format("check the path, or name a recipe: {}",
                                  fmt::join(known_recipes(folders), ", ")));
  }
  for (const auto& folder : folders)
    if (const fs::path file = fs::path(folder) / (name_or_file + ".toml");
        fs::is_regular_file(file))
      return file.string();
  const auto known = known_recipes(folders);
  throw usage_error(fmt::format("no recipe named \"{}\"", name_or_file),
                    known.empty() ? fmt::format("give a TOML file: there is no recipe in {}",
                                                fmt::join(folders, ", "))
                                  : suggest(name_or_file, known));
}

}  // namespace mnist_dist
