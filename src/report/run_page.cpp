#include "report/run_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/printable.h"
#include "config/config.h"
#include "data/data_name.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/sweep_charts.h"
#include "sweep/metrics_check.h"
#include "sweep/summary_check.h"
#include "train/checkpoint.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// What the page takes from summary.json; nothing before the run has ended.
struct Summary {
  std::string title;
  std::string data;  ///< data_name; empty: not known
  std::vector<std::pair<std::string, std::string>> lines;
};

Config read_recipe(const fs::path& folder) {
  const fs::path file = folder / "config.toml";
  try {
    return parse_config(read_text_file(file), file.string());
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage) throw;
    throw data_error(fmt::format("{} is damaged: {}", file.string(), error.what()),
                     scoring_hint(folder));
  }
}

Summary read_summary(const fs::path& folder, const std::string& scored, const Curve& curve) {
  const fs::path file = folder / "summary.json";
  if (!fs::exists(file)) {
    if (const auto found = newest_checkpoint(folder); found && found->checkpoint.finished)
      throw data_error(fmt::format("{} is missing, and the run is finished", file.string()),
                       summary_hint(folder));
    return {folder.string() + ": not finished", "", {}};
  }
  try {
    const Json json = Json::parse(read_text_file(file));
    Summary summary{
        fmt::format("{}, seed {}", json.value("recipe", "?"), json.value("seed", 0ull)),
        data_name(json.value("data_hash", ""), json.value("synthetic", false)),
        {}};
    const Config recipe = read_recipe(folder);
    check_summary_recipe(json, folder, recipe);
    check_summary_scores(json, folder, recipe, curve, scored);
    check_summary_weights(json, folder);
    for (const auto& [name, value] : json.items()) summary.lines.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    return summary;
  } catch (const Json::exception& error) {
    throw data_error(fmt::format("{} is damaged: {}", file.string(), error.what()),
                     summary_hint(folder));
  }
}

}  // namespace

std::string run_page(const fs::path& folder) {
  if (!fs::exists(folder / "metrics.csv") || !fs::exists(folder / "config.toml"))
    throw usage_error(fmt::format("{} holds neither a sweep nor a run", folder.string()), "name a folder that mnist-dist train or sweep wrote");
  const CsvTable metrics(folder / "metrics.csv");
  const std::string scored = metrics.has("test_accuracy") ? "test" : "validation";
  const Summary summary = read_summary(folder, scored, check_metrics(metrics, scored));
  std::string body = fmt::format("<h1>{}</h1>\n", html_text(summary.title));
  body += data_warning(summary.data);
  body += html_figure(run_curves_svg(folder / "metrics.csv"),
                      "Blue: the weights that are delivered; grey: those before averaging, where the recipe averages; dashed: training. One run says "
                      "little about the next seed: see mnist-dist sweep.");
  body += html_pairs(summary.lines);
  body += html_details("The recipe (config.toml)", read_text_file(folder / "config.toml"));
  body += html_details("metrics.csv", read_text_file(folder / "metrics.csv"));
  return html_page(summary.title, body);
}

}  // namespace mnist_dist
