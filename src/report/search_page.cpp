#include "report/search_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/grouped.h"
#include "base/parse_number.h"
#include "base/plural.h"
#include "base/printable.h"
#include "base/shell_word.h"
#include "data/data_name.h"
#include "report/chart.h"
#include "report/page.h"
#include "sweep/record.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Sets the names of the candidates' data, from the first one that has a sweep.
void read_data_name(SearchRecord& search) {
  for (const SearchRow& row : search.rows) {
    const fs::path folder = search.folder / candidate_folder(row.candidate);
    if (!fs::exists(folder / "sweep.json")) continue;
    const SweepIdentity identity = read_identity(folder);
    search.data_set = identity.data.set;
    search.data = data_name(identity.data);
    return;
  }
}

std::string verdict_of(const SearchRecord& search) {
  const auto best = search.rows.begin();
  const std::string what =
      search.rows.empty() || !best->mean
          ? "no candidate has a result"
          : fmt::format(
                "best of {} candidate{}: {}, {:.3f} % of the validation rows (mean of {} "
                "seed{})",
                search.rows.size(), plural(search.rows.size()), best->name(), *best->mean,
                best->seeds - best->diverged, plural(best->seeds - best->diverged));
  return search.finished ? what : "not finished: " + what;
}

/// Mean accuracies by the value of each key that was varied and is a number. A wide range is drawn
/// by its powers of ten.
std::string charts(const SearchRecord& search) {
  struct Point {
    double value, mean;
    std::string tip;
  };
  std::map<std::string, std::vector<Point>> by_key;
  for (const SearchRow& row : search.rows) {
    std::istringstream settings(row.settings);
    for (std::string setting; row.mean && settings >> setting;) {
      const std::size_t equals = std::min(setting.find('='), setting.size() - 1);
      const auto value = parse_number<double>(std::string_view(setting).substr(equals + 1));
      if (!value || !std::isfinite(*value)) continue;
      by_key[setting.substr(0, equals)].push_back(
          {*value, *row.mean,
           fmt::format("candidate {}: {:.3f} %, {}", row.candidate, *row.mean, row.settings)});
    }
  }
  std::string out;
  for (auto& [key, points] : by_key) {
    auto [low, high] = std::ranges::minmax(points, {}, &Point::value);
    auto [worst, best] = std::ranges::minmax(points, {}, &Point::mean);
    if (low.value == high.value) continue;
    const bool powers = low.value > 0 && high.value / low.value > 20;
    const auto place = [&](double value) { return powers ? std::log10(value) : value; };
    const double reach = place(high.value) - place(low.value);
    const int decimals = std::clamp(static_cast<int>(std::ceil(1.5 - std::log10(reach))), 0, 9);
    const double margin = std::max(0.1 * (best.mean - worst.mean), 0.01);
    Chart chart("mean validation accuracy, %",
                {place(low.value) - reach / 20, place(high.value) + reach / 20,
                 powers ? key + ", power of ten" : key, decimals},
                {worst.mean - margin, std::min(best.mean + margin, 100.0), "", 2});
    for (const Point& point : points)
      chart.dot(place(point.value), point.mean, color::good, point.tip);
    out += html_figure(chart.svg(), "");
  }
  return out.empty() ? "" : "<div class=\"charts\">\n" + out + "</div>\n";
}

std::string table_of(const SearchRecord& search) {
  std::string out =
      "<h2>Candidates</h2>\n<div class=\"scroll\"><table>\n<tr><th>candidate</th><th>mean %</th>"
      "<th>SD</th><th>min</th><th>loss</th><th>behind</th><th>95 "
      "%</th><th>seeds</th><th>diverged</th><th>rounds</th>"
      "<th>parameters</th><th class=\"text\">recipe</th><th class=\"text\">settings</th></tr>\n";
  for (const SearchRow& row : search.rows) {
    const fs::path page = fs::path(candidate_folder(row.candidate)) / "report.html";
    const std::string name =
        fs::exists(search.folder / page)
            ? fmt::format("<a href=\"{}\">{}</a>", page.string(), row.candidate)
            : fmt::format("{}", row.candidate);
    const std::string scores =
        row.mean ? fmt::format("<td>{:.3f}</td><td>{:.3f}</td><td>{:.2f}</td><td>{:.5f}</td>",
                               *row.mean, *row.sd, *row.min, *row.loss)
                 : "<td>-</td><td>-</td><td>-</td><td>-</td>";
    const std::string behind = row.behind_high
                                   ? fmt::format("<td>{:.3f}</td><td>{:.3f} .. {:.3f}</td>",
                                                 *row.behind, *row.behind_low, *row.behind_high)
                                   : "<td>-</td><td>-</td>";
    out += fmt::format(
        "<tr><th>{}</th>{}{}<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td "
        "class=\"text\">{}</td><td class=\"text\">{}</td></tr>\n",
        name, scores, behind, row.seeds, row.diverged, row.rounds, grouped(row.parameters),
        html_text(row.recipe), html_text(row.settings.empty() ? "as it is" : row.settings));
  }
  return out + "</table></div>\n";
}

}  // namespace

bool is_search(const fs::path& folder) {
  return fs::exists(folder / "tuning.csv") || fs::exists(folder / "candidate000" / "config.toml");
}

SearchRecord read_search(const fs::path& folder) {
  SearchRecord search;
  search.folder = folder;
  search.finished = fs::exists(folder / "best.toml");
  if (!fs::exists(folder / "tuning.csv")) return search;
  search.rows = read_search_table(folder / "tuning.csv");
  read_data_name(search);
  return search;
}

std::string search_page(const SearchRecord& search) {
  const std::string verdict = verdict_of(search);
  const fs::path name = fs::weakly_canonical(search.folder).filename();
  std::string body =
      fmt::format("<h1>Search {}</h1>\n<p class=\"verdict {}\">{}</p>\n", html_text(name.string()),
                  search.finished ? "DONE" : "INCOMPLETE", html_text(verdict));
  body += data_warning(search.data);
  body +=
      "<p>Scores are of held-out training images. The test images were not opened. Seed n of all "
      "candidates has the same images: how far a candidate is behind the best one is the mean of "
      "differences seed by seed, in points, with its 95 % interval.</p>\n";
  body += charts(search) + table_of(search);
  if (search.finished)
    body +=
        "<h2>Use it</h2>\n" +
        html_pairs({{"train the best one",
                     "mnist-dist --config " + shell_word((search.folder / "best.toml").string())}});
  return html_page(fmt::format("Search {}", name.string()), body);
}

}  // namespace mnist_dist
