#pragma once
#include <fmt/format.h>
#include <toml++/toml.h>

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "config/fields.h"

namespace mnist_dist {

// From one TOML value to one member of Config. `key` is how messages name it: "train.epochs".

/// Where a value was written: "step3.toml:12", or "--set" for one from the command line, which has
/// no source.
std::string place(const toml::node& node);

/// Throws: Error (usage) naming line and column, with the hint, when the text is no TOML.
toml::table parse_toml(const std::string& text, const std::string& source, const std::string& hint);

/// The first unknown key of a table. Null when there is none.
const toml::key* unknown_key(const toml::table& table, const std::vector<std::string>& known);

/// Throws: Error (usage) for the first unknown key of the table `what`.
void reject_unknown_key(const toml::table& table, const std::string& what,
                        const std::vector<std::string>& known);

/// A value as TOML writes it.
std::string toml_text(const toml::node& node);

[[noreturn]] void wrong_type(const std::string& key, const toml::node& node, const char* wanted,
                             const std::string& range = "");
/// "1 to 100", "more than 0, at most 1".
std::string describe(const Bounds& bounds);
void check_bounds(const std::string& key, const toml::node& node, const Bounds& bounds,
                  double value);

/// Whether a text survives TOML, file names, HDF5 and JSON. The command line can contain any bytes.
bool is_line_of_text(const std::string& text);

// assign: one per type of member.
// Throws: Error (usage) when the value has the wrong type or is out of range.

void assign(const std::string& key, const toml::node& node, const Field& field,
            std::string& member);
void assign(const std::string& key, const toml::node& node, const Field& field, bool& member);
void assign(const std::string& key, const toml::node& node, const Field& field, double& member);
void assign(const std::string& key, const toml::node& node, const Field& field,
            std::vector<int>& member);

template <std::integral Integer>
void assign(const std::string& key, const toml::node& node, const Field& field, Integer& member) {
  if (!node.is_integer()) {
    // Where no bound is given TOML's own holds: a larger number is no integer to it.
    const bool open = field.bounds.high == std::numeric_limits<double>::max();
    wrong_type(key, node, "a whole number",
               ": " + describe(field.bounds) + (open ? ", less than 2^63" : ""));
  }
  const auto value = *node.value<std::int64_t>();
  check_bounds(key, node, field.bounds, static_cast<double>(value));
  member = static_cast<Integer>(value);
}

template <class Enum>
requires std::is_enum_v<Enum>
void assign(const std::string& key, const toml::node& node, const Field&, Enum& member) {
  if (!node.is_string()) wrong_type(key, node, "a string");
  const std::string typed = *node.value<std::string>();
  std::vector<std::string> known;
  for (const auto& [value, name] : names_of(Enum{})) {
    if (typed == name) {
      member = value;
      return;
    }
    known.emplace_back(name);
  }
  throw usage_error(fmt::format("{}: unknown {} \"{}\"", place(node), key, typed),
                    suggest(typed, known));
}

}  // namespace mnist_dist
