#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>

namespace mnist_dist {
namespace {

/// One character of UTF-8, or one byte that begins none.
struct Character {
  std::size_t size = 1;
  std::uint32_t code = 0;
  bool valid = false;
};

/// Well-formed byte sequences: table 3-7 of the Unicode standard. `text` is not empty.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead, true};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  std::uint32_t code = lead & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {size, code, true};
}

/// Characters that a terminal or a page acts upon, or does not show, rather than draws.
bool is_control(std::uint32_t code) {
  const auto within = [&](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x200B || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x2069) || code == 0xFEFF ||
         within(0xFFF9, 0xFFFB) || within(0xE0000, 0xE007F);
}

/// Calls draw(bytes, character) for printable characters, and control(bytes, character) for others.
void walk(std::string_view text, const auto& draw, const auto& control) {
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.size);
    if (character.valid && !is_control(character.code))
      draw(bytes, character);
    else
      control(bytes, character);
    text.remove_prefix(character.size);
  }
}

void escape(std::string& out, std::string_view bytes, const Character& character) {
  if (character.code == '\n' && character.valid)
    out += "\\n";
  else if (character.code == '\t' && character.valid)
    out += "\\t";
  else if (character.code == '\r' && character.valid)
    out += "\\r";
  else if (character.valid && character.code >= 0x80)
    out += fmt::format("\\u{:04x}", character.code);
  else
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
}

bool is_layout(const Character& character) {
  return character.valid && (character.code == '\n' || character.code == '\t');
}

std::string escaped(std::string_view text, bool keep_layout) {
  std::string out;
  walk(
      text, [&](std::string_view bytes, const Character&) { out += bytes; },
      [&](std::string_view bytes, const Character& c) {
        if (keep_layout && is_layout(c))
          out += bytes;
        else
          escape(out, bytes, c);
      });
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, false); }
std::string printable_lines(std::string_view text) { return escaped(text, true); }

std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view gap = " ... ";
  const auto begins_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  };
  std::size_t characters = 0;
  for (const char c : text) characters += begins_character(c);
  if (characters <= most || most <= gap.size()) return std::string(text);
  const std::size_t kept = most - gap.size(), before = kept - kept / 4, after = kept / 4;
  std::string out;
  std::size_t index = 0;  // characters started so far
  for (const char c : text) {
    index += begins_character(c);
    if (index == before + 1 && begins_character(c)) out += gap;
    if (index <= before || index > characters - after) out += c;
  }
  return out;
}

std::string html_text(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
  std::string out;
  walk(
      text,
      [&](std::string_view bytes, const Character& c) {
        switch (c.code) {
          case '&':
            out += "&amp;";
            break;
          case '<':
            out += "&lt;";
            break;
          case '>':
            out += "&gt;";
            break;
          case '"':
            out += "&quot;";
            break;
          default:
            out += bytes;
        }
      },
      [&](std::string_view bytes, const Character& c) {
        out += is_layout(c) ? bytes : replacement;
      });
  return out;
}

}  // namespace mnist_dist
