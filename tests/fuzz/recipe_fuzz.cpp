// A recipe, then settings as in --set, separated by zero bytes.
// Property: what is accepted has a layout, and its TOML reads back to the same recipe.
#include <vector>

#include "config/check.h"
#include "config/config.h"
#include "fuzz/fuzz.h"
#include "model/layout.h"
#include "model/summary.h"

using namespace mnist_dist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts{""};
  for (const char c : fuzz::text(data, size)) {
    if (c == '\0')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  const std::vector<std::string> settings(parts.begin() + 1, parts.end());
  Config config;
  if (!fuzz::accepted([&] { config = parse_config(parts[0], "recipe.toml", settings); })) return 0;
  fuzz::accepted([&] { reject_keys_without_effect(config); });
  const std::string written = to_toml(config);
  Config again;
  fuzz::require(fuzz::accepted([&] { again = parse_config(written, "again.toml"); }),
                "a recipe that was accepted is accepted again");
  fuzz::require(to_toml(again) == written, "a recipe reads back to itself");
  fuzz::require(recipe_toml(again) == recipe_toml(config),
                "a recipe's identity reads back to itself");
  return 0;
}
