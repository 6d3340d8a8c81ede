#pragma once
#include <fmt/format.h>

#include <concepts>
#include <string>

namespace mnist_dist {

/// A count for people: "9,946".
std::string grouped(std::integral auto value) {
  std::string digits = fmt::to_string(value);
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  for (std::size_t end = digits.size(); end > sign + 3; end -= 3) digits.insert(end - 3, 1, ',');
  return digits;
}

}  // namespace mnist_dist
