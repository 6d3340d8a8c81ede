// A search space.
// Property: every candidate of an accepted space is a function of seed and index, its numbers lie
// in their range, and its settings are read or rejected.
#include <cstdlib>

#include "config/config.h"
#include "config/space.h"
#include "fuzz/fuzz.h"

using namespace mnist_dist;

namespace {

const char* const recipe = "[model]\nlayer = [{ linear = 10 }]\n";

void check(const Variation& variation, const std::string& setting) {
  fuzz::require(setting.starts_with(variation.key + "="), "a setting has its variation's key");
  if (!variation.values.empty()) return;
  const double value = std::strtod(setting.c_str() + variation.key.size() + 1, nullptr);
  fuzz::require(value >= variation.low && value <= variation.high, "a number lies in its range");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SearchSpace space;
  if (!fuzz::accepted([&] { space = parse_space(fuzz::text(data, size), "space.toml"); })) return 0;
  for (int index = 0; index < static_cast<int>(space.recipes.size()) + 8; ++index) {
    const CandidateDraw draw = draw_candidate(space, 1, index);
    fuzz::require(draw_candidate(space, 1, index).settings == draw.settings,
                  "a candidate is a function of seed and index");
    for (std::size_t i = 0; i < draw.settings.size(); ++i)
      check(space.variations[i], draw.settings[i]);
    fuzz::accepted([&] { parse_config(recipe, "recipe.toml", draw.settings); });
  }
  return 0;
}
