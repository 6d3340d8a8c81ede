#pragma once
#include <optional>
#include <string_view>

namespace mnist_dist {

/// How much the final test accuracy on MNIST differs between seeds of a recipe.
struct KnownSpread {
  std::string_view recipe;
  int seeds = 0;  ///< trained in the published sweep
  double sd = 0;  ///< standard deviation, in points
};

/// Of the published sweep with the fused engine that has the most seeds. Nothing where no sweep of
/// that recipe is published.
std::optional<KnownSpread> known_spread(std::string_view recipe);

}  // namespace mnist_dist
