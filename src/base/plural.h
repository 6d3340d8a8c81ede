#pragma once
#include <concepts>

namespace mnist_dist {

/// The ending of a counted noun: "1 rank", "2 ranks".
constexpr const char* plural(std::integral auto n) { return n == 1 ? "" : "s"; }

}  // namespace mnist_dist
