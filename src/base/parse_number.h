#pragma once
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace mnist_dist {

/// The number that `text` is as a whole, in any locale. Nothing for other text, also with blanks,
/// and for a number that is out of the type's range.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return number;
}

}  // namespace mnist_dist
