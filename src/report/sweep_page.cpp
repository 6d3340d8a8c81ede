#include "report/sweep_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/grouped.h"
#include "base/plural.h"
#include "base/printable.h"
#include "config/config.h"
#include "data/data_name.h"
#include "report/chart.h"
#include "report/confusion.h"
#include "report/digit_pictures.h"
#include "report/duration.h"
#include "report/page.h"
#include "report/sweep_charts.h"
#include "report/sweep_verdict.h"

namespace mnist_dist {
namespace {

constexpr std::size_t most_worst = 10, most_digits = 30;

/// An image with the wrong predictions and their numbers of seeds.
struct HardDigit {
  int index = 0, label = 0, seeds = 0;
  std::map<int, int> predictions = {};  ///< images by class
};

std::vector<HardDigit> hardest_digits(const Verdict& v) {
  std::map<int, HardDigit> by_index;
  for (const SeedOutcome* outcome : v.counted)
    for (const Mistake& mistake : outcome->mistakes) {
      HardDigit& digit = by_index[mistake.index];
      digit.index = mistake.index;
      digit.label = mistake.label;
      ++digit.seeds;
      ++digit.predictions[mistake.prediction];
    }
  std::vector<HardDigit> digits;
  for (const auto& [index, digit] : by_index) digits.push_back(digit);
  std::stable_sort(digits.begin(), digits.end(),
                   [](auto& a, auto& b) { return a.seeds > b.seeds; });
  return digits;
}

std::string predictions_text(const std::map<int, int>& counts) {
  std::vector<std::pair<int, int>> order(counts.begin(), counts.end());
  std::ranges::stable_sort(order, std::ranges::greater(), &std::pair<int, int>::second);
  std::string text;
  for (const auto& [c, count] : order)
    text += fmt::format("{}{} ({}x)", text.empty() ? "" : ", ", c, count);
  return text;
}

std::string digits_section(const SweepRecord& record, const Verdict& v,
                           const std::filesystem::path& folder) {
  const std::vector<HardDigit> digits = hardest_digits(v);
  if (digits.empty()) return "";
  std::vector<int> rows;
  for (const HardDigit& digit : digits) rows.push_back(digit.index);
  const SweepIdentity& id = record.identity;
  const DigitPictures images(id.data.file, id.data.hash, id.validation, rows,
                             folder / "errors.csv");
  const auto always = std::count_if(digits.begin(), digits.end(),
                                    [&](auto& digit) { return digit.seeds == v.trained; });
  std::string out = fmt::format(
      "<h2>Most frequently misclassified digits</h2>\n<p>{} of {} images are misclassified by at "
      "least one seed, {} by every seed. Each with its label and the predicted classes, counted "
      "over {} seed{}.{}</p>\n<div class=\"digits\">\n",
      digits.size(), v.images, always, v.trained, plural(v.trained),
      images.there() ? "" : " They are not drawn, because the data file is missing.");
  for (std::size_t i = 0; i < std::min(digits.size(), most_digits); ++i) {
    const HardDigit& digit = digits[i];
    out += fmt::format("<div>{}<b>{}</b> predicted {}<br>#{}, {} seed{}</div>\n",
                       images.html(digit.index, digit.label), digit.label,
                       predictions_text(digit.predictions), digit.index, digit.seeds,
                       plural(digit.seeds));
  }
  return out + "</div>\n";
}

/// As large as `classes`, or as the largest class of a mistake.
Confusion confusion_of_seeds(std::span<const SeedOutcome* const> seeds, int classes) {
  for (const SeedOutcome* outcome : seeds)
    for (const Mistake& m : outcome->mistakes)
      classes = std::max({classes, m.label + 1, m.prediction + 1});
  Confusion counts = no_confusion(classes);
  for (const SeedOutcome* outcome : seeds)
    for (const Mistake& m : outcome->mistakes)
      ++counts[static_cast<std::size_t>(m.label)][static_cast<std::size_t>(m.prediction)];
  return counts;
}

std::string frequent_mistakes_of(const SeedOutcome* seed) {
  std::string text;
  for (const Mistaken& m : most_mistaken(confusion_of_seeds({&seed, 1}, 0), 4))
    text +=
        fmt::format("{}{}&rarr;{} ({}x)", text.empty() ? "" : ", ", m.label, m.prediction, m.count);
  return text;
}

/// A seed's number, as a link where its run's page is below the sweep's folder.
std::string seed_link(std::uint64_t seed, const std::filesystem::path& folder) {
  const std::string page = fmt::format("runs/seed{}/report.html", seed);
  return !folder.empty() && std::filesystem::exists(folder / page)
             ? fmt::format("<a href=\"{}\">{}</a>", page, seed)
             : fmt::format("{}", seed);
}

/// Folded away: one row per seed.
std::string seeds_section(const Verdict& v, const std::filesystem::path& folder) {
  constexpr std::size_t most = 1000;
  if (v.counted.empty()) return "";
  const std::size_t shown = std::min(v.counted.size(), most);
  std::string out = fmt::format(
      "<details><summary>All {} seeds{}</summary>\n<div class=\"scroll\"><table>\n<tr><th>seed</th>"
      "<th>final %</th><th>correct</th><th>seconds</th></tr>\n",
      v.counted.size(),
      shown < v.counted.size() ? fmt::format(" (the first {}, all in seeds.csv)", shown) : "");
  for (std::size_t i = 0; i < shown; ++i) {
    const SeedOutcome& o = *v.counted[i];
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}</td></tr>\n",
                       seed_link(o.seed, folder),
                       o.diverged ? "diverged" : fmt::format("{:.2f}", accuracy_of(o)),
                       o.final_correct, o.seconds);
  }
  return out + "</table></div></details>\n";
}

std::string worst_section(const Verdict& v, const std::filesystem::path& folder) {
  std::vector<const SeedOutcome*> worst(v.counted);
  std::stable_sort(worst.begin(), worst.end(), [](auto* a, auto* b) {
    return std::pair(!a->diverged, a->final_correct) < std::pair(!b->diverged, b->final_correct);
  });
  worst.resize(std::min(worst.size(), most_worst));
  if (worst.empty()) return "";
  std::string out =
      "<h2>Worst seeds</h2>\n<div class=\"scroll\"><table>\n<tr><th>seed</th><th>final "
      "%</th><th>correct</th><th>best %*</th><th "
      "class=\"text\">most frequent mistakes</th></tr>\n";
  for (const SeedOutcome* o : worst)
    out += o->diverged ? fmt::format("<tr><td>{}</td><td colspan=\"4\">{}</td></tr>\n",
                                     seed_link(o->seed, folder), html_text(o->message))
                       : fmt::format(
                             "<tr><td>{}</td><td>{:.2f}</td><td>{}</td><td>{:.2f}</td><td "
                             "class=\"text\">{}</td></tr>\n",
                             seed_link(o->seed, folder), accuracy_of(*o), o->final_correct,
                             o->best_accuracy, frequent_mistakes_of(o));
  return out +
         "</table></div>\n<p class=\"note\">* of the best epoch: optimistic, because it is "
         "selected by this score.</p>\n";
}

std::string confusion_section(const SweepRecord& record, const Verdict& v) {
  const Confusion counts =
      confusion_of_seeds(v.counted, parse_config(record.recipe_text, "config.toml").model.classes);
  if (counts.size() > most_matrix_columns) return frequent_mistakes(counts);
  std::string out =
      "<h2>Mistakes over all seeds</h2>\n<div class=\"scroll\"><table>\n<tr><th>label \\ "
      "predicted</th>";
  for (std::size_t c = 0; c < counts.size(); ++c) out += fmt::format("<th>{}</th>", c);
  out += "</tr>\n";
  for (std::size_t label = 0; label < counts.size(); ++label) {
    out += fmt::format("<tr><th>{}</th>", label);
    for (std::size_t c = 0; c < counts.size(); ++c)
      out += c == label ? "<td class=\"diag\"></td>"
                        : fmt::format("<td{}>{}</td>",
                                      counts[label][c] >= v.trained ? " class=\"hit\"" : "",
                                      counts[label][c]);
    out += "</tr>\n";
  }
  return out + "</table></div>\n<p class=\"note\">Red: at least one per seed on average.</p>\n";
}

/// "14 epochs", or how train.max_steps cuts them short.
std::string length_text(const SweepRecord& record) {
  const int epochs = record.identity.epochs;
  const std::string all = fmt::format("{} epoch{}", epochs, plural(epochs));
  const Config recipe = parse_config(record.recipe_text, "config.toml");
  return recipe.train.max_steps > 0 ? fmt::format("at most {} steps of {} (train.max_steps)",
                                                  grouped(recipe.train.max_steps), all)
                                    : all;
}

std::string machine_section(const SweepRecord& record, const Verdict& v) {
  const SweepIdentity& id = record.identity;
  double seconds = 0;
  for (const SeedOutcome* outcome : v.counted) seconds += outcome->seconds;
  std::string versions;
  for (const auto& [name, number] : id.engine.versions)
    versions += fmt::format("{}{} {}", versions.empty() ? "" : ", ", name, number);
  return "<h2>Machine and reproduction</h2>\n" +
         html_pairs(
             {{"command", id.command},
              {"machine", fmt::format("{} ({})", id.machine, id.host)},
              {"engine",
               fmt::format("{} ({}), device {}", id.engine.name, id.engine.simd, id.engine.device)},
              {"ranks", fmt::format("groups {} x ranks {}{} x threads {}", id.groups,
                                    id.ranks_per_run, last_group_text(id), id.threads)},
              {"versions", versions},
              {"started", id.started},
              {"training",
               fmt::format("{} in total, {} per seed", duration(seconds),
                           v.counted.empty()
                               ? "-"
                               : duration(seconds / static_cast<double>(v.counted.size())))},
              {"data hash", id.data.hash},
              {"fingerprint", id.fingerprint + " (SHA-256 of the parameters after 50 steps: equal "
                                               "for programs and machines with the same bits)"}}) +
         "<p>One seed alone gives the same bytes: <code>mnist-dist --config DIR/config.toml --seed "
         "N</code> with this folder as DIR, compared with parameters_sha256 in seeds.csv.</p>\n" +
         html_details("The recipe (config.toml)", record.recipe_text);
}

}  // namespace

std::string sweep_page(const SweepRecord& record, const Verdict& v,
                       const std::filesystem::path& folder, int refresh_seconds) {
  const SweepIdentity& id = record.identity;
  std::string body =
      fmt::format("<h1>{}: seeds {}</h1>\n<p class=\"verdict {}\">{}</p>\n", html_text(id.recipe),
                  html_text(id.seeds), name_of(v.answer), html_text(headline(record, v)));
  body += data_warning(data_name(id.data), id.validation);
  body += fmt::format(
      "<p>{} parameters, {}. Accuracy of the weights that each run delivers at its end, on {} "
      "images ({}).</p>\n",
      grouped(id.parameter_count), html_text(length_text(record)), grouped(v.images),
      html_text(scored_text(id.data, id.validation)));
  body += html_pairs(verdict_lines(v));
  body += html_figure(histogram_svg(record, v),
                      "Final accuracy of all seeds. Blue reached the target, red did not.");
  body += html_figure(curves_svg(record, v),
                      "Every seed's curve. Thick: median. Dashed: minimum and maximum. Early "
                      "epochs may lie below the drawing.");
  body += html_figure(dots_svg(record, v), "One dot per seed.");
  body += worst_section(v, folder) + seeds_section(v, folder) + digits_section(record, v, folder);
  if (v.trained > 0) body += confusion_section(record, v);
  body += machine_section(record, v);
  return html_page(fmt::format("{}: {}", id.recipe, headline(record, v)), body, refresh_seconds);
}

}  // namespace mnist_dist
