#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "config/check.h"
#include "config/config.h"
#include "config/fields.h"
#include "config/recipes.h"
#include "config/values.h"

namespace mnist_dist {
namespace {

void assign_if_present(const toml::table& table, const std::string& name, const Field& field,
                       auto& member) {
  if (const toml::node* node = table.get(field.key)) assign(name, *node, field, member);
}

const toml::table& as_table(const toml::node& node, const std::string& name) {
  if (!node.is_table()) wrong_type(name, node, "a table");
  return *node.as_table();
}

/// A number, or "classes".
void assign_channels(const std::string& name, const toml::node& node, const Field& field,
                     Layer& layer) {
  layer.follows_classes = node.value<std::string>() == classes_word;
  if (node.is_string() && !layer.follows_classes)
    wrong_type(name, node, "a number of channels or \"classes\"");
  if (layer.follows_classes)
    layer.channels = class_count;
  else
    assign(name, node, field, layer.channels);
}

Layer read_layer(const toml::node& node, std::size_t index) {
  const std::string name = fmt::format("layer {}", index + 1);
  const toml::table& table = as_table(node, name);
  Layer layer;
  std::vector<std::string> known{"conv", "linear", "pool"};
  visit_layer_fields(layer,
                     [&](const Field& field, const auto&) { known.emplace_back(field.key); });
  reject_unknown_key(table, name, known);

  const toml::node* conv = table.get("conv");
  const toml::node* linear = table.get("linear");
  const toml::node* pool = table.get("pool");
  if ((conv != nullptr) + (linear != nullptr) + (pool != nullptr) != 1)
    throw usage_error(
        fmt::format("{}: {} needs exactly one of conv, linear and pool", place(node), name),
        "give one of these keys");

  const Field channels{"model.layer", "channels", from_to(1, channel_limit), "output channels"};
  if (conv) {
    assign_channels(name + ": conv", *conv, channels, layer);
  } else if (linear) {
    layer.kind = LayerKind::linear;
    assign_channels(name + ": linear", *linear, channels, layer);
  } else {
    assign(name + ": pool", *pool, {}, layer.kind);
    if (layer.kind == LayerKind::max_pool) layer.kernel = 2;
  }
  const bool sized = layer.kind == LayerKind::convolution || layer.kind == LayerKind::max_pool;
  if (const toml::node* kernel = table.get("kernel"); kernel && !sized)
    throw usage_error(
        fmt::format("{}: {} ({}) has a kernel", place(*kernel), name, layer_text(layer)),
        "remove it: the layer covers its whole input");
  visit_layer_fields(layer, [&](const Field& field, auto& member) {
    assign_if_present(table, fmt::format("{}: {}", name, field.key), field, member);
  });
  return layer;
}

void read_model(const toml::table& table, Config& config) {
  if (const toml::node* name = table.get("name")) assign("model.name", *name, {}, config.name);
  if (const toml::node* layers = table.get("layer")) {
    if (!layers->is_array())
      wrong_type("model.layer", *layers, "a list of tables, [[model.layer]]");
    for (const toml::node& layer : *layers->as_array())
      config.model.layers.push_back(read_layer(layer, config.model.layers.size()));
  }
  config.model.name = config.name;
  visit_model_fields(config.model, [&](const Field& field, auto& member) {
    assign_if_present(table, fmt::format("model.{}", field.key), field, member);
  });
  for (Layer& layer : config.model.layers)
    if (layer.follows_classes) layer.channels = config.model.classes;
}

/// All sections with their keys.
std::map<std::string, std::vector<std::string>> known_keys() {
  std::map<std::string, std::vector<std::string>> keys{{"model", {"name", "layer"}}};
  Config any;
  visit_model_fields(
      any.model, [&](const Field& field, const auto&) { keys["model"].emplace_back(field.key); });
  visit_fields(any, [&](const Field& field, const auto&) {
    keys[std::string(field.section)].emplace_back(field.key);
  });
  return keys;
}

void reject_unknown_keys(const toml::table& root) {
  const auto known = known_keys();
  std::vector<std::string> sections;
  for (const auto& [section, keys] : known) sections.push_back(section);
  // A key that exists in a different section.
  const auto elsewhere = [&](const std::string& key) -> std::string {
    for (const auto& [section, keys] : known)
      if (std::find(keys.begin(), keys.end(), key) != keys.end())
        return fmt::format("did you mean {}.{}?", section, key);
    return "";
  };
  if (const toml::key* key = unknown_key(root, sections)) {
    const std::string typed(key->str()), hint = elsewhere(typed);
    throw usage_error(fmt::format("{}: unknown section or key {}", place(*root.get(*key)), typed),
                      hint.empty() ? suggest(typed, sections) : hint);
  }
  for (const auto& [section, keys] : known) {
    const toml::node* node = root.get(section);
    if (node == nullptr) continue;
    const toml::table& table = as_table(*node, section);
    const toml::key* key = unknown_key(table, keys);
    if (key == nullptr) continue;
    const std::string typed(key->str()), near = nearest_name(typed, keys), hint = elsewhere(typed);
    throw usage_error(fmt::format("{}: unknown key {}.{}", place(*table.get(*key)), section, typed),
                      !near.empty()  ? fmt::format("did you mean {}.{}?", section, near)
                      : hint.empty() ? suggest(typed, keys)
                                     : hint);
  }
}

Config read_config(const toml::table& root, const std::string& source) {
  reject_unknown_keys(root);
  Config config;
  config.name = std::filesystem::path(source).stem().string();
  visit_fields(config, [&](const Field& field, auto& member) {
    if (const toml::node* section = root.get(field.section))
      assign_if_present(*section->as_table(), fmt::format("{}.{}", field.section, field.key), field,
                        member);
  });
  if (const toml::node* model = root.get("model")) read_model(*model->as_table(), config);
  if (config.model.layers.empty())
    throw usage_error(fmt::format("{}: the model has no layers", source), no_layers_hint);
  check_config(config);
  return config;
}

/// Also of a pipe, as in --config <(...), which has no size.
std::string read_recipe(const std::string& file) {
  constexpr std::size_t longest = 1 << 20;
  std::string text(longest + 1, '\0');
  if (std::filesystem::is_regular_file(file) && std::filesystem::file_size(file) <= longest) {
    text = read_text_file(file);
  } else {
    std::ifstream in(file, std::ios::binary);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (text.size() > longest)
    throw usage_error(
        fmt::format("{}: too large for a recipe (expected at most {} bytes)", file, longest),
        "name a recipe such as configs/step4.toml");
  return text;
}

/// The value of a setting: TOML, or a plain word, as in schedule.kind=cosine.
toml::table parse_value(const std::string& text) {
  try {
    if (toml::table parsed = toml::parse("value = " + text); parsed.size() == 1) return parsed;
  } catch (const toml::parse_error&) {
  }
  return toml::table{{"value", text}};
}

/// Puts "section.key=value" into the table.
void apply_setting(toml::table& root, const std::string& setting) {
  const auto equals = setting.find('=');
  const auto dot = setting.substr(0, equals).find('.');
  if (equals == std::string::npos || dot == std::string::npos)
    throw usage_error(
        fmt::format("--set: wrong form (got \"{}\", expected SECTION.KEY=VALUE)", setting),
        "write for example --set train.epochs=5");
  const std::string section = setting.substr(0, dot),
                    key = setting.substr(dot + 1, equals - dot - 1);

  root.insert(section, toml::table{});  // keeps an existing section
  if (!root.get(section)->is_table()) wrong_type(section, *root.get(section), "a table");
  root.get(section)->as_table()->insert_or_assign(
      key, std::move(*parse_value(setting.substr(equals + 1)).get("value")));
}

}  // namespace

Config parse_config(const std::string& toml, const std::string& source,
                    const std::vector<std::string>& settings) {
  toml::table root = parse_toml(toml, source, "write the recipe in TOML as in configs/step3.toml");
  for (const auto& setting : settings) apply_setting(root, setting);
  return read_config(root, source);
}

Config load_config(const std::string& name_or_file, const std::vector<std::string>& settings,
                   const std::vector<std::string>& search) {
  const std::string file = find_recipe(name_or_file, search);
  return parse_config(read_recipe(file), file, settings);
}

}  // namespace mnist_dist
