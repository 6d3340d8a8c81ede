#pragma once
#include <span>
#include <string>
#include <string_view>

namespace mnist_dist {

/// The known name closest to a mistyped one, or "" when none is near enough (edit distance over a
/// third of its length).
std::string nearest_name(std::string_view typed, std::span<const std::string> known);

/// "did you mean NAME?" for a close one, else "use one of: a, b, c".
std::string suggest(std::string_view typed, std::span<const std::string> known);

}  // namespace mnist_dist
