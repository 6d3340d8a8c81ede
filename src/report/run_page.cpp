#include "report/run_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/sweep_charts.h"
#include "train/checkpoint.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// What the page takes from summary.json; nothing before the run has ended.
struct Summary {
  std::string title;
  bool synthetic = false;
  std::vector<std::pair<std::string, std::string>> lines;
};

Summary read_summary(const fs::path& folder) {
  const fs::path file = folder / "summary.json";
  if (!fs::exists(file)) {
    if (const auto found = newest_checkpoint(folder); found && found->checkpoint.finished)
      throw data_error(fmt::format("{} is missing, and the run is finished", file.string()), scoring_hint(folder));
    return {folder.string() + ": not finished", false, {}};
  }
  try {
    const Json json = Json::parse(read_text_file(file));
    Summary summary{fmt::format("{}, seed {}", json.value("recipe", "?"), json.value("seed", 0ull)), json.value("synthetic", false), {}};
    for (const auto& [name, value] : json.items()) summary.lines.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    return summary;
  } catch (const Json::exception& error) {
    throw data_error(fmt::format("{} is damaged: {}", file.string(), error.what()), scoring_hint(folder));
  }
}

}  // namespace

std::string run_page(const fs::path& folder) {
  if (!fs::exists(folder / "metrics.csv") || !fs::exists(folder / "config.toml"))
    throw usage_error(fmt::format("{} holds neither a sweep nor a run", folder.string()), "name a folder that mnist-dist train or sweep wrote");
  const Summary summary = read_summary(folder);
  std::string body = fmt::format("<h1>{}</h1>\n", escaped(summary.title));
  if (summary.synthetic) body += "<p class=\"warn\">SYNTHETIC digits, drawn by a program: this says nothing about MNIST.</p>\n";
  body += html_figure(run_curves_svg(folder / "metrics.csv"),
                      "Blue: the weights that are delivered; grey: those before averaging, where the recipe averages; dashed: training. One run says "
                      "little about the next seed: see mnist-dist sweep.");
  body += html_pairs(summary.lines);
  body += html_details("The recipe (config.toml)", read_text_file(folder / "config.toml"));
  body += html_details("metrics.csv", read_text_file(folder / "metrics.csv"));
  return html_page(summary.title, body);
}

}  // namespace mnist_dist
