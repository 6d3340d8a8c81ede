#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <string>

#include "config/config.h"
#include "config/fields.h"
#include "config/settings.h"
#include "config/values.h"

namespace mnist_dist {
namespace {

std::string text(const std::string& value) { return toml_text(toml::value<std::string>(value)); }
std::string text(bool value) { return value ? "true" : "false"; }
std::string text(std::integral auto value) { return fmt::format("{}", value); }
/// The shortest text that reads back to the same double, marked as one.
std::string text(double value) {
  std::string digits = fmt::format("{}", value);
  return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
}
std::string text(const std::vector<int>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}
template <class Enum>
requires std::is_enum_v<Enum> std::string text(Enum value) {
  for (const auto& [known, name] : names_of(Enum{}))
    if (known == value) return fmt::format("\"{}\"", name);
  return {};
}

/// `by_name`: "classes" where the recipe has it, not their number.
std::string layer_line(const Layer& layer, bool by_name) {
  Layer usual{
      .kind = layer.kind, .channels = layer.channels, .follows_classes = layer.follows_classes};
  if (layer.kind == LayerKind::max_pool) usual.kernel = 2;
  std::string line = layer_text(layer);
  if (by_name && layer.follows_classes)
    line = fmt::format("{} = \"{}\"", layer.kind == LayerKind::linear ? "linear" : "conv",
                       classes_word);
  visit_layer_fields(layer, [&](const Field& field, const auto& value) {
    std::string usual_text;
    visit_layer_fields(usual, [&](const Field& other, const auto& usual_value) {
      if (other.key == field.key) usual_text = text(usual_value);
    });
    if (text(value) != usual_text) line += fmt::format(", {} = {}", field.key, text(value));
  });
  return line;
}

enum class Detail { all_with_help, identity_only };

std::string write(const Config& config, Detail detail) {
  std::string out = fmt::format("[model]\nname = {}\n", text(config.name));
  if (config.model.side != image_side) out += fmt::format("side = {}\n", config.model.side);
  if (config.model.classes != class_count)
    out += fmt::format("classes = {}\n", config.model.classes);
  out += "layer = [\n";
  for (const Layer& layer : config.model.layers)
    out += fmt::format("  {{ {} }},\n", layer_line(layer, detail == Detail::all_with_help));
  out += "]\n";
  std::string_view section;
  visit_fields(config, [&](const Field& field, const auto& value) {
    if (detail == Detail::identity_only && field.identity == Identity::circumstance) return;
    if (field.section != section) out += fmt::format("\n[{}]\n", section = field.section);
    const std::string line = fmt::format("{} = {}", field.key, text(value));
    out += detail == Detail::all_with_help ? fmt::format("{:<27} # {}\n", line, field.help)
                                           : line + "\n";
  });
  return out;
}

}  // namespace

std::vector<Setting> settings_of(const Config& config) {
  std::vector<Setting> settings;
  visit_fields(config, [&](const Field& field, const auto& value) {
    if (field.identity == Identity::part_of_recipe)
      settings.push_back({fmt::format("{}.{}", field.section, field.key), text(value)});
  });
  return settings;
}

std::string to_toml(const Config& config) { return write(config, Detail::all_with_help); }
std::string recipe_toml(const Config& config) { return write(config, Detail::identity_only); }

}  // namespace mnist_dist
