#include "report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/grouped.h"
#include "base/plural.h"
#include "base/printable.h"
#include "config/settings.h"
#include "model/spec.h"
#include "report/page.h"

namespace mnist_dist {
namespace {

constexpr double each_side = 0.025;  // of the probability lies beyond each end of an interval

Statistics statistics_of(const Contestant& c) {
  std::vector<double> values;
  for (const auto& [seed, accuracy] : c.accuracies) values.push_back(accuracy);
  return mnist_dist::statistics_of(values);
}

/// Two runs, image by image: of those that they see differently, how many does which one get right?
Difference by_image(const Contestant& first, const Contestant& second) {
  Difference d;
  d.basis = Difference::Basis::images;
  for (std::size_t i = 0; i < first.predictions.size(); ++i) {
    const bool a = first.predictions[i].right(), b = second.predictions[i].right();
    ++(a == b ? d.same : b ? d.better : d.worse);
  }
  d.pairs = d.better + d.same + d.worse;
  const double n = d.pairs, gain = d.better - d.worse, differing = d.better + d.worse;
  d.points = 100 * gain / n;
  constexpr double normal_975 = 1.959964;
  const double reach = 100 * normal_975 * std::sqrt(std::max(differing - gain * gain / n, 0.0)) / n;
  d.interval = {d.points - reach, d.points + reach};
  return d;
}

Difference unpaired(const Contestant& first, const Contestant& second) {
  const Statistics a = statistics_of(first), b = statistics_of(second);
  Difference d;
  d.points = b.mean - a.mean;
  const double va = a.sd * a.sd / a.n, vb = b.sd * b.sd / b.n;
  if (a.n < 2 || b.n < 2) return d;
  d.basis = Difference::Basis::unpaired;
  double reach = 0;
  if (va + vb > 0) {
    const double freedom = (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1));
    reach = std::sqrt(va + vb) * boost::math::quantile(boost::math::complement(
                                     boost::math::students_t(freedom), each_side));
  }
  d.interval = {d.points - reach, d.points + reach};
  return d;
}

bool same_images(const Contestant& a, const Contestant& b) {
  return std::ranges::equal(a.predictions, b.predictions, {}, &Prediction::index,
                            &Prediction::index);
}

std::string basis_text(const Difference& d) {
  switch (d.basis) {
    case Difference::Basis::seeds:
      return fmt::format("paired by {} seeds, t", d.pairs);
    case Difference::Basis::images:
      return fmt::format("one run each, paired by {} images", grouped(d.pairs));
    case Difference::Basis::unpaired:
      return "not paired, Welch's t";
    case Difference::Basis::single:
      break;
  }
  return "too few seeds for an interval";
}

std::string interval_text(const Difference& d) {
  return d.basis == Difference::Basis::single
             ? basis_text(d)
             : fmt::format("95 % interval {:+.4f} .. {:+.4f}, {}", d.interval.low, d.interval.high,
                           basis_text(d));
}

const char* pairs_name(const Difference& d) {
  return d.basis == Difference::Basis::images ? "images" : "seeds";
}

std::string row_of(const Contestant& c) {
  const Statistics s = statistics_of(c);
  return fmt::format("{}  {:>8.4f}  {:>6}  {:>6.2f}  {:>6.2f}  {:>5}  {:>10}  {}\n", c.label,
                     s.mean, s.n > 1 ? fmt::format("{:.4f}", s.sd) : "-", s.min, s.max, s.n,
                     grouped(c.parameter_count), c.recipe);
}

}  // namespace

bool Difference::shown() const {
  return basis != Basis::single && (interval.low > 0 || interval.high < 0);
}

Difference difference_of(const Contestant& first, const Contestant& second) {
  if (first.data_hash != second.data_hash || first.scored != second.scored ||
      first.images != second.images)
    throw usage_error(
        fmt::format("{} and {} were scored on different images ({} of {}, and {} of {})",
                    first.folder.string(), second.folder.string(), first.images, first.scored,
                    second.images, second.scored),
        "compare runs and sweeps over the same data and split");
  const Comparison paired = compare_paired(first.accuracies, second.accuracies);
  if (paired.difference.n > 1) {
    const Statistics& s = paired.difference;
    return {Difference::Basis::seeds,
            s.mean,
            s.mean_interval,
            s.n,
            paired.better,
            paired.same,
            paired.worse};
  }
  if (!first.predictions.empty() && same_images(first, second)) return by_image(first, second);
  return unpaired(first, second);
}

std::string verdict_sentence(const Contestant& first, const Contestant& second,
                             const Difference& d) {
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

std::string comparison_text(std::span<const Contestant> contestants) {
  const Contestant& first = contestants.front();
  std::string text =
      fmt::format("final accuracy, {}, {} images\n", first.scored, grouped(first.images));
  text += fmt::format("   {:>8}  {:>6}  {:>6}  {:>6}  {:>5}  {:>10}  {}\n", "mean %", "SD", "min",
                      "max", "seeds", "parameters", "recipe");
  for (const Contestant& c : contestants) text += row_of(c);
  for (const Contestant& c : contestants)
    text += fmt::format("{}  {}{}\n", c.label, printable(c.folder.string()),
                        c.diverged > 0 ? fmt::format(" ({} diverged)", c.diverged) : "");
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
    text += fmt::format("{} - {}  {:+.4f} points, {}\n", c.label, first.label, d.points,
                        interval_text(d));
    if (d.pairs > 0)
      text += fmt::format("{} is better on {}, equal on {}, worse on {} {}\n", c.label, d.better,
                          d.same, d.worse, pairs_name(d));
    text += fmt::format("verdict: {}\n", verdict_sentence(first, c, d));
  }
  return text;
}

std::string comparison_json(std::span<const Contestant> contestants) {
  using Json = nlohmann::ordered_json;
  Json sides = Json::array(), differences = Json::array();
  for (const Contestant& c : contestants) {
    const Statistics s = statistics_of(c);
    sides.push_back({{"label", c.label},
                     {"folder", c.folder.string()},
                     {"recipe", c.recipe},
                     {"seeds", s.n},
                     {"diverged", c.diverged},
                     {"mean", s.mean},
                     {"sd", s.sd},
                     {"min", s.min},
                     {"max", s.max},
                     {"parameter_count", c.parameter_count},
                     {"seconds", c.seconds}});
  }
  for (const Contestant& c : contestants.subspan(1)) {
    const Difference d = difference_of(contestants.front(), c);
    const bool single = d.basis == Difference::Basis::single;
    differences.push_back({{"first", contestants.front().label},
                           {"second", c.label},
                           {"points", d.points},
                           {"interval_95", single ? Json() : Json{d.interval.low, d.interval.high}},
                           {"basis", d.basis == Difference::Basis::seeds      ? "seeds"
                                     : d.basis == Difference::Basis::images   ? "images"
                                     : d.basis == Difference::Basis::unpaired ? "unpaired"
                                                                              : "single"},
                           {"better", d.better},
                           {"same", d.same},
                           {"worse", d.worse},
                           {"shown", d.shown()},
                           {"verdict", verdict_sentence(contestants.front(), c, d)}});
  }
  return Json{{"contestants", sides}, {"differences", differences}}.dump(
             2, ' ', false, Json::error_handler_t::replace) +
         "\n";
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
  body += fmt::format("<p>Final accuracy, {}, {} images.</p>\n", html_text(first.scored),
                      grouped(first.images));
  std::vector<NamedCurve> accuracy, loss;
  for (const Contestant& c : contestants) {
    const Statistics s = statistics_of(c);
    rows += fmt::format(
        "<tr><th>{}</th><td>{:.4f}</td><td>{}</td><td>{:.2f}</td><td>{:.2f}</td><td>{}</td>"
        "<td>{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td></tr>\n",
        c.label, s.mean, s.n > 1 ? fmt::format("{:.4f}", s.sd) : "-", s.min, s.max, s.n,
        grouped(c.parameter_count), html_text(c.recipe), html_text(c.folder.string()));
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
