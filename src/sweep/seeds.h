#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist {

/// "0..99", "7", "1,5,10..19": seeds in the order written, each once.
/// Throws: Error (usage) for anything else, or more than a million.
std::vector<std::uint64_t> parse_seeds(const std::string& text);

/// The seeds of both texts, ascending, as a text. `a` itself when it names those of `b` too.
/// Throws: Error (usage) as parse_seeds, also when together they are too many.
std::string join_seeds(const std::string& a, const std::string& b);

}  // namespace mnist_dist
