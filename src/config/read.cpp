#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <sstream>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "config/check.h"
#include "config/config.h"
#include "config/fields.h"
#include "config/recipes.h"

namespace mnist_dist {
namespace {

constexpr std::string_view setting_source = "--set ";

/// Where a value was written: "step3.toml:12", or "--set" for one from the command line.
std::string place(const toml::node& node) {
  const auto& source = node.source();
  const std::string path = source.path ? *source.path : "";
  return path.starts_with(setting_source) ? "--set" : fmt::format("{}:{}", path, source.begin.line);
}

/// A value as its author wrote it, or near enough, for messages.
std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  const std::string text = out.str();
  return text.find('\n') == std::string::npos && text.size() <= 40 ? text : "...";
}

[[noreturn]] void wrong_type(const std::string& key, const toml::node& node, const char* wanted) {
  throw usage_error(fmt::format("{}: {} = {} is not {}", place(node), key, shown(node), wanted), fmt::format("give {}", wanted));
}

std::string describe(const Bounds& bounds) {
  const auto end = [](double value) { return value >= 1e15 ? std::string("2^62") : fmt::format("{}", value); };
  return fmt::format("{}{} to {}{}", bounds.low_open ? "above " : "", end(bounds.low), bounds.high_open ? "below " : "", end(bounds.high));
}

void check_bounds(const std::string& key, const toml::node& node, const Bounds& bounds, double value) {
  // Written so that NaN is outside.
  const bool inside = (bounds.low_open ? value > bounds.low : value >= bounds.low) && (bounds.high_open ? value < bounds.high : value <= bounds.high);
  if (!inside) throw usage_error(fmt::format("{}: {} = {} is out of range", place(node), key, shown(node)), fmt::format("give {}", describe(bounds)));
}

// One a type of member: takes the value from a TOML node of the right type.

void assign(const std::string& key, const toml::node& node, const Field&, std::string& member) {
  if (!node.is_string()) wrong_type(key, node, "a string");
  member = *node.value<std::string>();
}
void assign(const std::string& key, const toml::node& node, const Field&, bool& member) {
  if (!node.is_boolean()) wrong_type(key, node, "true or false");
  member = *node.value<bool>();
}
void assign(const std::string& key, const toml::node& node, const Field& field, double& member) {
  if (!node.is_number()) wrong_type(key, node, "a number");
  check_bounds(key, node, field.bounds, *node.value<double>());
  member = *node.value<double>();
}
template <std::integral Integer>
void assign(const std::string& key, const toml::node& node, const Field& field, Integer& member) {
  if (!node.is_integer()) wrong_type(key, node, "a whole number");
  const auto value = *node.value<std::int64_t>();
  check_bounds(key, node, field.bounds, static_cast<double>(value));
  member = static_cast<Integer>(value);
}
void assign(const std::string& key, const toml::node& node, const Field& field, std::vector<int>& member) {
  if (!node.is_array()) wrong_type(key, node, "a list of whole numbers");
  member.clear();
  for (const toml::node& element : *node.as_array()) assign(key, element, field, member.emplace_back());
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
  throw usage_error(fmt::format("{}: unknown {} \"{}\"", place(node), key, typed), suggest(typed, known));
}

void assign_if_present(const toml::table& table, const std::string& name, const Field& field, auto& member) {
  if (const toml::node* node = table.get(field.key)) assign(name, *node, field, member);
}

/// Refuses keys that nobody reads. `prefix` is what stands before each key in messages.
void refuse_unknown(const toml::table& table, const std::string& prefix, const std::vector<std::string>& known) {
  for (const auto& [key, node] : table) {
    const std::string typed(key.str());
    if (std::find(known.begin(), known.end(), typed) == known.end())
      throw usage_error(fmt::format("{}: unknown key {}{}", place(node), prefix, typed), suggest(typed, known));
  }
}

const toml::table& as_table(const toml::node& node, const std::string& name) {
  if (!node.is_table()) wrong_type(name, node, "a table");
  return *node.as_table();
}

Layer read_layer(const toml::node& node, std::size_t index) {
  const std::string name = fmt::format("layer {}", index + 1);
  const toml::table& table = as_table(node, name);
  Layer layer;
  std::vector<std::string> known{"conv", "linear", "pool"};
  visit_layer_fields(layer, [&](const Field& field, const auto&) { known.emplace_back(field.key); });
  refuse_unknown(table, name + ": ", known);

  const toml::node* conv = table.get("conv");
  const toml::node* linear = table.get("linear");
  const toml::node* pool = table.get("pool");
  if ((conv != nullptr) + (linear != nullptr) + (pool != nullptr) != 1)
    throw usage_error(fmt::format("{}: {} does not have just one of conv, linear and pool", place(node), name), "say what the layer is, once");

  const Field channels{"model.layer", "channels", from_to(1, 4096), "output channels"};
  if (conv) {
    assign(name + ": conv", *conv, channels, layer.channels);
  } else if (linear) {
    layer.kind = LayerKind::linear;
    assign(name + ": linear", *linear, channels, layer.channels);
  } else {
    assign(name + ": pool", *pool, {}, layer.kind);
    if (layer.kind == LayerKind::max_pool) layer.kernel = 2;
  }
  const bool sized = layer.kind == LayerKind::convolution || layer.kind == LayerKind::max_pool;
  if (const toml::node* kernel = table.get("kernel"); kernel && !sized)
    throw usage_error(fmt::format("{}: {} ({}) has a kernel", place(*kernel), name, layer_text(layer)),
                      "remove it: the layer covers its whole input");
  visit_layer_fields(layer,
                     [&](const Field& field, auto& member) { assign_if_present(table, fmt::format("{}: {}", name, field.key), field, member); });
  return layer;
}

void read_model(const toml::table& table, Config& config) {
  refuse_unknown(table, "model.", {"name", "layer"});
  if (const toml::node* name = table.get("name")) assign("model.name", *name, {}, config.name);
  if (const toml::node* layers = table.get("layer")) {
    if (!layers->is_array()) wrong_type("model.layer", *layers, "a list of tables, [[model.layer]]");
    for (const toml::node& layer : *layers->as_array()) config.model.layers.push_back(read_layer(layer, config.model.layers.size()));
  }
}

Config read_config(const toml::table& root, const std::string& name) {
  Config config;
  config.name = name;
  std::vector<std::string> sections{"model"};
  std::vector<std::pair<std::string, std::vector<std::string>>> keys;
  visit_fields(config, [&](const Field& field, const auto&) {
    if (sections.back() != field.section) keys.emplace_back(sections.emplace_back(field.section), std::vector<std::string>{});
    keys.back().second.emplace_back(field.key);
  });
  refuse_unknown(root, "", sections);
  for (const auto& [section, known] : keys)
    if (const toml::node* node = root.get(section)) refuse_unknown(as_table(*node, section), section + ".", known);

  visit_fields(config, [&](const Field& field, auto& member) {
    if (const toml::node* node = root.get(field.section))
      assign_if_present(*node->as_table(), fmt::format("{}.{}", field.section, field.key), field, member);
  });
  if (const toml::node* model = root.get("model")) read_model(as_table(*model, "model"), config);
  config.model.name = config.name;
  check_config(config);
  return config;
}

toml::table parse_toml(const std::string& text, const std::string& source) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw usage_error(fmt::format("{}:{}:{}: {}", source, at.line, at.column, error.description()), "recipes are TOML; configs/step3.toml shows how");
  }
}

/// Puts "section.key=value" into the table. The value is TOML, or a plain word: schedule.kind=cosine.
void apply_setting(toml::table& root, const std::string& setting) {
  const auto equals = setting.find('=');
  const auto dot = setting.substr(0, equals).find('.');
  if (equals == std::string::npos || dot == std::string::npos)
    throw usage_error(fmt::format("--set {} is not section.key=value", setting), "for instance --set train.epochs=5");
  const std::string section = setting.substr(0, dot), key = setting.substr(dot + 1, equals - dot - 1), value = setting.substr(equals + 1);

  const std::string source(setting_source);
  toml::table parsed;
  try {
    parsed = toml::parse("value = " + value, source);
  } catch (const toml::parse_error&) {
  }
  if (parsed.size() != 1) {
    // Not TOML: a word. Written as TOML so that it carries its source like any other value.
    std::ostringstream quoted;
    quoted << "value = " << toml::value<std::string>(value);
    parsed = toml::parse(quoted.str(), source);
  }
  toml::node* table = root.get(section);
  if (table == nullptr) {
    root.insert(section, toml::parse("table = {}", source).get("table")->as_table()[0]);
    table = root.get(section);
  }
  if (!table->is_table()) wrong_type(section, *table, "a table");
  table->as_table()->insert_or_assign(key, std::move(*parsed.get("value")));
}

}  // namespace

Config parse_config(const std::string& toml, const std::string& source, const std::vector<std::string>& settings) {
  toml::table root = parse_toml(toml, source);
  for (const auto& setting : settings) apply_setting(root, setting);
  return read_config(root, std::filesystem::path(source).stem().string());
}

Config load_config(const std::string& name_or_file, const std::vector<std::string>& settings, const std::vector<std::string>& search) {
  const std::string file = find_recipe(name_or_file, search);
  return parse_config(read_text_file(file), file, settings);
}

}  // namespace mnist_dist
