#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist {

/// "0..99", "7", "1,5,10..19": seeds in the order written, each once. Throws Error (usage) for anything else, or more than a million.
std::vector<std::uint64_t> parse_seeds(const std::string& text);

}  // namespace mnist_dist
