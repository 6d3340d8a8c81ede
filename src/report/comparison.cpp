#include "report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/grouped.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "config/settings.h"
#include "model/spec.h"
#include "report/page.h"
#include "report/text_table.h"

namespace mnist_dist {
namespace {

std::string basis_text(const Difference& d) {
  switch (d.basis) {
    case Difference::Basis::seeds:
      return fmt::format("paired by {} seeds, t", d.pairs);
    case Difference::Basis::images:
      return fmt::format("one run each, paired by {} images", grouped(d.pairs));
    case Difference::Basis::unpaired:
      return "not paired, Welch's t";
    case Difference::Basis::none:
      return "no result";
    case Difference::Basis::single:
      break;
  }
  return "too few seeds for an interval";
}

std::string interval_text(const Difference& d) {
  return !d.has_interval() ? basis_text(d)
                           : fmt::format("95 % interval {:+.4f} .. {:+.4f}, {}", d.interval.low,
                                         d.interval.high, basis_text(d));
}

/// Cells of the table: label, mean, SD, min, max, seeds, parameters, recipe.
std::vector<std::string> row_of(const Contestant& c) {
  if (!c.has_result())
    return {c.label, "-", "-", "-", "-", "0", grouped(c.parameter_count), c.recipe};
  const Statistics s = accuracy_statistics(c);
  return {c.label,
          fmt::format("{:.4f}", s.mean),
          s.n > 1 ? fmt::format("{:.4f}", s.sd) : "-",
          fmt::format("{:.2f}", s.min),
          fmt::format("{:.2f}", s.max),
          fmt::format("{}", s.n),
          grouped(c.parameter_count),
          c.recipe};
}

const std::vector<TextColumn> result_columns{
    {.width = 1, .left = true, .importance = 10},
    {.name = "mean %", .width = 8, .importance = 9},
    {.name = "SD", .width = 6, .importance = 7},
    {.name = "min", .width = 6, .importance = 6},
    {.name = "max", .width = 6, .importance = 3},
    {.name = "seeds", .importance = 5},
    {.name = "parameters", .importance = 4},
    {.name = "recipe", .left = true, .importance = 8, .narrowest = 12}};

/// "final accuracy, MNIST, test set, 10,000 images": of the first one that has a result.
std::string scored_line(std::span<const Contestant> contestants) {
  const auto scored = std::ranges::find_if(contestants, &Contestant::has_result);
  if (scored == contestants.end()) return "no result yet";
  return fmt::format("final accuracy, {}, {} images", scored->scored, grouped(scored->images));
}

const char* basis_name(Difference::Basis basis) {
  switch (basis) {
    case Difference::Basis::seeds:
      return "seeds";
    case Difference::Basis::images:
      return "images";
    case Difference::Basis::unpaired:
      return "unpaired";
    case Difference::Basis::single:
      return "single";
    case Difference::Basis::none:
      break;
  }
  return "none";
}

/// The last epoch that both have scored, and the accuracies then, in percent.
std::string last_common_epoch(const Contestant& first, const Contestant& second) {
  for (auto a = first.accuracy.rbegin(); a != first.accuracy.rend(); ++a)
    for (const auto& [epoch, accuracy] : second.accuracy)
      if (epoch == a->first)
        return fmt::format("after epoch {}: {} {:.2f} %, {} {:.2f} %", epoch, first.label,
                           a->second, second.label, accuracy);
  return "no epoch that both have scored";
}

/// "B diverged at epoch 1 step 4": those of the two that have no result.
std::string missing_results(const Contestant& first, const Contestant& second) {
  std::string text;
  for (const Contestant* c : {&first, &second})
    if (!c->has_result())
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", c->label,
                          c->state == "incomplete" || c->state == "complete"
                              ? fmt::format("has no trained seed ({})", c->state_text())
                              : c->state_text());
  return text;
}

}  // namespace

std::string verdict_sentence(const Contestant& first, const Contestant& second,
                             const Difference& d) {
  if (d.basis == Difference::Basis::none)
    return fmt::format("the final accuracies of {} and {} cannot be compared ({})", first.label,
                       second.label, missing_results(first, second));
  const std::string why = fmt::format("{:+.4f} points, {}", d.points, interval_text(d));
  std::string text = d.shown() ? fmt::format("{} is {} than {} by {:.4f} points ({})", second.label,
                                             d.points > 0 ? "better" : "worse", first.label,
                                             std::abs(d.points), interval_text(d))
                               : fmt::format("no difference between {} and {} is shown ({})",
                                             first.label, second.label, why);
  if (d.basis == Difference::Basis::images)
    text += ", for these two runs only: compare sweeps to compare recipes";
  return text;
}

std::vector<std::vector<std::string>> differing_keys(std::span<const Contestant> contestants) {
  std::vector<std::vector<std::string>> columns;
  std::vector<std::string> keys;
  for (const Contestant& c : contestants) {
    if (!c.config) return {};
    std::vector<std::string> texts;
    keys = {"model.layer"};
    std::string layers;
    for (const Layer& layer : c.config->model.layers)
      layers += (layers.empty() ? "" : ", ") + layer_text(layer);
    texts.push_back(layers);
    for (const Setting& setting : settings_of(*c.config)) {
      keys.push_back(setting.key);
      texts.push_back(setting.text);
    }
    columns.push_back(std::move(texts));
  }
  std::vector<std::vector<std::string>> rows;
  for (std::size_t key = 0; key < keys.size(); ++key) {
    std::vector<std::string> row{keys[key]};
    for (const auto& texts : columns) row.push_back(texts[key]);
    if (std::ranges::count(row, row[1]) != static_cast<std::ptrdiff_t>(columns.size()))
      rows.push_back(std::move(row));
  }
  return rows;
}

std::string comparison_text(std::span<const Contestant> contestants, int columns) {
  const Contestant& first = contestants.front();
  std::string text = scored_line(contestants) + "\n";
  const TextTable table(result_columns, columns);
  text += table.header();
  for (const Contestant& c : contestants) text += table.row(row_of(c));
  for (const Contestant& c : contestants) {
    const std::string state = c.state_text();
    text += fmt::format("{}  {}{}\n", c.label, printable(c.folder.string()),
                        state.empty() ? "" : fmt::format(" ({})", state));
  }
  for (const auto& row : differing_keys(contestants)) {
    constexpr std::size_t longest = 60;
    text += row[0] + ":";
    for (std::size_t i = 1; i < row.size(); ++i)
      text += fmt::format("{} {} {}", i > 1 ? "," : "", contestants[i - 1].label,
                          shortened(row[i], longest));
    text += '\n';
  }
  for (const Contestant& c : contestants.subspan(1)) {
    const Difference d = difference_of(first, c);
    if (d.basis == Difference::Basis::none)
      text += last_common_epoch(first, c) + "\n";
    else
      text += fmt::format("{} - {}  {:+.4f} points, {}\n", c.label, first.label, d.points,
                          interval_text(d));
    if (d.pairs > 0)
      text +=
          fmt::format("{} is better on {}, equal on {}, worse on {} {}\n", c.label, d.better,
                      d.same, d.worse, d.basis == Difference::Basis::images ? "images" : "seeds");
    text += fmt::format("verdict: {}\n", verdict_sentence(first, c, d));
  }
  return folded(text, columns);
}

std::string comparison_json(std::span<const Contestant> contestants) {
  using Json = nlohmann::ordered_json;
  Json sides = Json::array(), differences = Json::array();
  for (const Contestant& c : contestants) {
    const Statistics s = c.has_result() ? accuracy_statistics(c) : Statistics{};
    const auto number = [&](double value) { return c.has_result() ? Json(value) : Json(); };
    sides.push_back({{"label", c.label},
                     {"folder", c.folder.string()},
                     {"recipe", c.recipe},
                     {"data", c.data},
                     {"state", c.state},
                     {"place", c.place},
                     {"seeds", s.n},
                     {"diverged", c.diverged},
                     {"mean", number(s.mean)},
                     {"sd", s.n > 1 ? number(s.sd) : Json()},
                     {"min", number(s.min)},
                     {"max", number(s.max)},
                     {"parameter_count", c.parameter_count},
                     {"seconds", c.seconds}});
  }
  for (const Contestant& c : contestants.subspan(1)) {
    const Difference d = difference_of(contestants.front(), c);
    differences.push_back(
        {{"first", contestants.front().label},
         {"second", c.label},
         {"points", d.basis == Difference::Basis::none ? Json() : Json(d.points)},
         {"interval_95", d.has_interval() ? Json{d.interval.low, d.interval.high} : Json()},
         {"basis", basis_name(d.basis)},
         {"better", d.better},
         {"same", d.same},
         {"worse", d.worse},
         {"shown", d.shown()},
         {"verdict", verdict_sentence(contestants.front(), c, d)}});
  }
  return json_text(Json{{"contestants", sides}, {"differences", differences}});
}

std::string comparison_page(std::span<const Contestant> contestants) {
  const Contestant& first = contestants.front();
  std::string body = "<h1>Comparison</h1>\n", rows, differing;
  for (const Contestant& c : contestants.subspan(1)) {
    const Difference d = difference_of(first, c);
    body += fmt::format("<p class=\"verdict {}\">{}</p>\n", d.shown() ? "DONE" : "INCOMPLETE",
                        html_text(verdict_sentence(first, c, d)));
  }
  body += data_warning(first.data);
  body += fmt::format("<p>{}.</p>\n", html_text(scored_line(contestants)));
  std::vector<NamedCurve> accuracy, loss;
  for (const Contestant& c : contestants) {
    const std::vector<std::string> cells = row_of(c);
    rows += fmt::format("<tr><th>{}</th>", cells[0]);
    for (std::size_t i = 1; i + 1 < cells.size(); ++i) rows += fmt::format("<td>{}</td>", cells[i]);
    rows +=
        fmt::format("<td class=\"text\">{}</td><td class=\"text\">{}{}</td></tr>\n",
                    html_text(c.recipe), html_text(c.folder.string()),
                    c.state_text().empty() ? "" : html_text(fmt::format(" ({})", c.state_text())));
    const std::string name = fmt::format("{}: {}", c.label, c.recipe);
    accuracy.push_back({name, c.accuracy});
    loss.push_back({name, c.loss});
  }
  body +=
      "<div class=\"scroll\"><table>\n<tr><th></th><th>mean %</th><th>SD</th><th>min</th>"
      "<th>max</th><th>seeds</th><th>parameters</th><th class=\"text\">recipe</th>"
      "<th class=\"text\">folder</th></tr>\n" +
      rows + "</table></div>\n<div class=\"charts\">\n" +
      html_figure(overlaid_svg("accuracy by epoch, %", accuracy),
                  "Of the weights that are delivered, mean over seeds. Early epochs may lie "
                  "outside.") +
      html_figure(overlaid_svg("training loss by epoch", loss), "Mean over seeds.") + "</div>\n";
  for (const auto& row : differing_keys(contestants)) {
    differing += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      differing += fmt::format("<td class=\"text\">{}</td>", html_text(row[i]));
    differing += "</tr>\n";
  }
  if (!differing.empty()) {
    body +=
        "<h2>Where the recipes differ</h2>\n<div class=\"scroll\"><table>\n<tr>"
        "<th class=\"text\">key</th>";
    for (const Contestant& c : contestants)
      body += fmt::format("<th class=\"text\">{}</th>", c.label);
    body += "</tr>\n" + differing + "</table></div>\n";
  }
  return html_page("Comparison", body);
}

}  // namespace mnist_dist
