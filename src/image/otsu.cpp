#include "image/otsu.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace mnist_dist {

Split otsu(const std::vector<float>& values) {
  std::array<double, 256> histogram{};
  double sum = 0, squares = 0;
  for (const float value : values) {
    const int level = std::clamp(static_cast<int>(std::lround(value)), 0, 255);
    histogram[static_cast<std::size_t>(level)] += 1;
    sum += level;
    squares += 1.0 * level * level;
  }
  const auto n = static_cast<double>(values.size());
  const double variance = squares / n - (sum / n) * (sum / n);
  Split best;
  double below = 0, sum_below = 0;
  for (std::size_t level = 0; level < 255; ++level) {
    below += histogram[level];
    sum_below += histogram[level] * static_cast<double>(level);
    if (below == 0 || below == n) continue;
    const double distance = sum_below / below - (sum - sum_below) / (n - below);
    const double share = below / n * (1 - below / n) * distance * distance / variance;
    if (share > best.separability) best = {static_cast<float>(level) + 0.5f, share};
  }
  return best;
}

}  // namespace mnist_dist
