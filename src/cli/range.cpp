#include "cli/range.h"

#include <fmt/format.h>

namespace mnist_dist {

CLI::Validator real_range(double low, double high) {
  const auto check = [low, high](std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return "";
    return fmt::format("Value {} not in range {} to {}", text, low, high);
  };
  return {check, fmt::format("FLOAT in [{} - {}]", low, high)};
}

}  // namespace mnist_dist
