#include "config/space.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/parse_number.h"
#include "base/portable_math.h"
#include "base/random.h"
#include "config/fields.h"
#include "config/values.h"

namespace mnist_dist {
namespace {

const char* const example = "see configs/tune/recipe.toml";

/// As TOML writes it. Numbers in the shortest form that reads back.
std::string written(const toml::node& node) {
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  return toml_text(node);
}

/// Calls visit(field, member) for the field that a variation's key names, but for the model's
/// layers: they are checked as a whole, when a candidate is made of them. Throws: Error (usage)
/// when a recipe has no such key, or candidates cannot differ in it.
void visit_key(const toml::node& key, const std::string& name, const auto& visit) {
  constexpr std::array set_by_trial = {"data.split", "train.evaluate_every"};
  std::vector<std::string> known{"model.layer"};
  bool found = name == known.front(),
       variable = std::ranges::find(set_by_trial, name) == set_by_trial.end();
  Config any;
  visit_fields(any, [&](const Field& field, auto& member) {
    if (name != known.emplace_back(fmt::format("{}.{}", field.section, field.key))) return;
    found = true;
    variable = variable && field.identity == Identity::part_of_recipe;
    if (variable) visit(field, member);
  });
  if (!found)
    throw usage_error(fmt::format("{}: unknown key {}", place(key), name), suggest(name, known));
  if (!variable)
    throw usage_error(
        fmt::format("{}: candidates cannot differ in {}", place(key), name),
        "remove it from the space: all candidates train the same seeds on the same rows");
}

Variation read_variation(const toml::node& node) {
  if (!node.is_table()) wrong_type("vary", node, "a list of tables, [[vary]]");
  const toml::table& table = *node.as_table();
  reject_unknown_key(table, "vary", {"key", "values", "low", "high", "log"});
  Variation variation;
  if (!table.get("key"))
    throw usage_error(fmt::format("{}: a [[vary]] table without key", place(node)),
                      "name it as in --set: key = \"train.batch\"");
  const toml::node& key = *table.get("key");
  assign("vary: key", key, {}, variation.key);
  const auto check = [&](const toml::node& value) {
    visit_key(key, variation.key, [&]<class Member>(const Field& field, Member& member) {
      assign(variation.key, value, field, member);
      variation.whole = std::integral<Member> && !std::same_as<Member, bool>;
    });
  };
  const auto fail = [&](const std::string& problem, const std::string& hint) {
    throw usage_error(fmt::format("{}: {} {}", place(node), variation.key, problem), hint);
  };
  const toml::node* values = table.get("values");
  const bool range = table.get("low") && table.get("high");
  if ((values != nullptr) == range ||
      (values && (table.get("low") || table.get("high") || table.get("log"))))
    fail("needs exactly one of values and a range", "give values = [...], or low and high");
  if (values) {
    if (!values->is_array() || values->as_array()->empty())
      wrong_type("vary: values", *values, "a list of at least one value");
    for (const toml::node& value : *values->as_array()) {
      check(value);
      variation.values.push_back(written(value));
    }
    return variation;
  }
  for (const auto& [end, number] :
       {std::pair("low", &variation.low), std::pair("high", &variation.high)}) {
    check(*table.get(end));
    assign(fmt::format("vary: {}", end), *table.get(end), {}, *number);
  }
  if (const toml::node* log = table.get("log")) assign("vary: log", *log, {}, variation.log);
  if (!(variation.low < variation.high))
    fail("needs a low below its high", "swap them, or use values = [...]");
  if (variation.log && variation.low <= 0)
    fail("needs a low above 0 with log = true", "raise low, or remove log");
  return variation;
}

/// Significant digits that leave at least twenty numbers to choose from: three, but for narrow
/// ranges such as 0.99 to 0.999.
int digits_for(double low, double high) {
  int digits = 3;
  const double magnitude = std::floor(std::log10(std::max(std::abs(low), std::abs(high))));
  while (digits < std::numeric_limits<double>::digits10 &&
         20 * std::pow(10, magnitude + 1 - digits) > high - low)
    ++digits;
  return digits;
}

std::string draw_value(const Variation& variation, Stream& stream) {
  if (!variation.values.empty())
    return variation.values[stream.below(static_cast<std::uint32_t>(variation.values.size()))];
  const double share = static_cast<double>(stream.uniform());
  const double value = variation.log
                           ? variation.low * portable::power(variation.high / variation.low, share)
                           : variation.low + (variation.high - variation.low) * share;
  const std::string text =
      variation.whole ? fmt::format("{:.0f}", value)
                      : fmt::format("{:.{}g}", value, digits_for(variation.low, variation.high));
  const double rounded = parse_number<double>(text).value_or(0);  // may lie outside
  return rounded < variation.low    ? fmt::format("{}", variation.low)
         : rounded > variation.high ? fmt::format("{}", variation.high)
                                    : text;
}

}  // namespace

SearchSpace parse_space(const std::string& toml, const std::string& source) {
  const toml::table root =
      parse_toml(toml, source, "write the search space in TOML as in configs/tune/recipe.toml");
  reject_unknown_key(root, "the search space", {"recipes", "vary"});
  SearchSpace space;
  const toml::node* recipes = root.get("recipes");
  if (!recipes) throw usage_error(fmt::format("{} names no recipes", source), example);
  if (!recipes->is_array() || recipes->as_array()->empty())
    wrong_type("recipes", *recipes, "a list of at least one recipe's name");
  for (const toml::node& recipe : *recipes->as_array())
    assign("recipes", recipe, {}, space.recipes.emplace_back());
  if (const toml::node* vary = root.get("vary")) {
    if (!vary->is_array()) wrong_type("vary", *vary, "a list of tables, [[vary]]");
    for (const toml::node& node : *vary->as_array()) {
      const Variation variation = read_variation(node);
      if (std::ranges::find(space.variations, variation.key, &Variation::key) !=
          space.variations.end())
        throw usage_error(fmt::format("{}: {} is varied twice", place(node), variation.key),
                          "delete one of the two");
      space.variations.push_back(variation);
    }
  }
  return space;
}

SearchSpace read_space(const std::string& file) { return parse_space(read_text_file(file), file); }

CandidateDraw draw_candidate(const SearchSpace& space, std::uint64_t seed, int index) {
  const auto recipes = static_cast<int>(space.recipes.size());
  if (index < recipes) return {space.recipes[static_cast<std::size_t>(index)], {}};
  Stream stream(
      {.seed = seed, .purpose = Purpose::tuning, .row = static_cast<std::uint32_t>(index)});
  CandidateDraw draw{space.recipes[stream.below(static_cast<std::uint32_t>(recipes))], {}};
  for (const Variation& variation : space.variations)
    draw.settings.push_back(fmt::format("{}={}", variation.key, draw_value(variation, stream)));
  return draw;
}

}  // namespace mnist_dist
