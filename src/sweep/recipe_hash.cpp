#include "sweep/recipe_hash.h"

#include <span>
#include <sstream>

#include "base/sha256.h"

namespace mnist_dist {

std::string recipe_sha256(const Config& recipe) {
  Config defaults;
  defaults.name = recipe.name;
  defaults.model = recipe.model;
  std::istringstream lines(recipe_toml(recipe)), usual_lines(recipe_toml(defaults));
  std::string hashed, line, usual;
  // The model comes first, up to an empty line.
  for (bool in_model = true; std::getline(lines, line) && std::getline(usual_lines, usual);) {
    in_model = in_model && !line.empty();
    if (in_model || line != usual) hashed += line + '\n';
  }
  return hex(sha256(std::as_bytes(std::span(hashed))));
}

}  // namespace mnist_dist
