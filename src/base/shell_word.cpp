#include "base/shell_word.h"

#include <fmt/format.h>

#include "base/printable.h"

namespace mnist_dist {

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return std::string(text);
  const bool shown = printable(text) == text;
  std::string word = shown ? "'" : "$'";
  for (const char c : text) {
    if (c == '\'')
      word += shown ? "'\\''" : "\\'";
    else if (shown)
      word += c;
    else if (c == '\\')
      word += "\\\\";
    else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F)
      word += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      word += c;
  }
  return word + "'";
}

}  // namespace mnist_dist
