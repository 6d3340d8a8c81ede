#include "config/values.h"

#include <algorithm>
#include <sstream>

#include "base/printable.h"

namespace mnist_dist {
namespace {

/// A value as its author wrote it, or near enough, for messages.
std::string shown(const toml::node& node) {
  const std::string text = toml_text(node);
  return text.find('\n') == std::string::npos && text.size() <= 40 ? text : "...";
}

}  // namespace

std::string place(const toml::node& node) {
  const auto& source = node.source();
  const std::string path = source.path ? *source.path : "";
  return path.empty() ? "--set" : fmt::format("{}:{}", path, source.begin.line);
}

toml::table parse_toml(const std::string& text, const std::string& source,
                       const std::string& hint) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw usage_error(fmt::format("{}:{}:{}: {}", source, at.line, at.column, error.description()),
                      hint);
  }
}

const toml::key* unknown_key(const toml::table& table, const std::vector<std::string>& known) {
  for (const auto& [key, node] : table)
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) return &key;
  return nullptr;
}

void reject_unknown_key(const toml::table& table, const std::string& what,
                        const std::vector<std::string>& known) {
  if (const toml::key* key = unknown_key(table, known))
    throw usage_error(
        fmt::format("{}: {} has an unknown key {}", place(*table.get(*key)), what, key->str()),
        suggest(key->str(), known));
}

std::string toml_text(const toml::node& node) {
  std::ostringstream out;
  node.visit(
      [&](const auto& value) { out << toml::toml_formatter(value, toml::format_flags::none); });
  return out.str();
}

void wrong_type(const std::string& key, const toml::node& node, const char* wanted,
                const std::string& range) {
  throw usage_error(fmt::format("{}: {}: wrong type (got {}, expected {})", place(node), key,
                                shown(node), wanted),
                    fmt::format("give {}{}", wanted, range));
}

std::string describe(const Bounds& bounds) {
  if (bounds.high == std::numeric_limits<double>::max())
    return fmt::format("at least {}", bounds.low);
  if (!bounds.low_open && !bounds.high_open)
    return fmt::format("{} to {}", bounds.low, bounds.high);
  return fmt::format("{} {}, {} {}", bounds.low_open ? "more than" : "at least", bounds.low,
                     bounds.high_open ? "less than" : "at most", bounds.high);
}

void check_bounds(const std::string& key, const toml::node& node, const Bounds& bounds,
                  double value) {
  // Written so that NaN is outside.
  const bool inside = (bounds.low_open ? value > bounds.low : value >= bounds.low) &&
                      (bounds.high_open ? value < bounds.high : value <= bounds.high);
  if (!inside)
    throw usage_error(fmt::format("{}: {}: out of range (got {}, expected {})", place(node), key,
                                  shown(node), describe(bounds)),
                      fmt::format("give {}", describe(bounds)));
}

bool is_line_of_text(const std::string& text) { return printable(text) == text; }

void assign(const std::string& key, const toml::node& node, const Field&, std::string& member) {
  if (!node.is_string()) wrong_type(key, node, "a string");
  member = *node.value<std::string>();
  if (!is_line_of_text(member))
    throw usage_error(
        fmt::format("{}: {} = {} is not a line of text", place(node), key, shown(node)),
        "give UTF-8 without control characters");
}
void assign(const std::string& key, const toml::node& node, const Field&, bool& member) {
  if (!node.is_boolean()) wrong_type(key, node, "true or false");
  member = *node.value<bool>();
}
void assign(const std::string& key, const toml::node& node, const Field& field, double& member) {
  if (!node.is_number()) wrong_type(key, node, "a number", ": " + describe(field.bounds));
  // toml++ gives no double for an integer that has none of just its value.
  member =
      node.is_integer() ? static_cast<double>(*node.value<std::int64_t>()) : *node.value<double>();
  check_bounds(key, node, field.bounds, member);
}
void assign(const std::string& key, const toml::node& node, const Field& field,
            std::vector<int>& member) {
  if (!node.is_array()) wrong_type(key, node, "a list of whole numbers");
  member.clear();
  for (const toml::node& element : *node.as_array())
    assign(key, element, field, member.emplace_back());
}

}  // namespace mnist_dist
