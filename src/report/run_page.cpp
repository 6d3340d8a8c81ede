#include "report/run_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/sweep_charts.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json read_summary(const fs::path& file) {
  if (!fs::exists(file)) return Json::object();
  try {
    return Json::parse(read_text_file(file));
  } catch (const Json::exception& error) {
    throw data_error(fmt::format("{} is damaged: {}", file.string(), error.what()), "resume the run, which writes it again at its end");
  }
}

}  // namespace

std::string run_page(const fs::path& folder) {
  if (!fs::exists(folder / "metrics.csv") || !fs::exists(folder / "config.toml"))
    throw usage_error(fmt::format("{} holds neither a sweep nor a run", folder.string()), "name a folder that mnist-dist train or sweep wrote");
  const Json summary = read_summary(folder / "summary.json");
  const std::string title =
      summary.empty() ? folder.string() + ": not finished" : fmt::format("{}, seed {}", summary.value("recipe", "?"), summary.value("seed", 0ull));
  std::string body = fmt::format("<h1>{}</h1>\n", escaped(title));
  if (summary.value("synthetic", false)) body += "<p class=\"warn\">SYNTHETIC digits, drawn by a program: this says nothing about MNIST.</p>\n";
  body += html_figure(run_curves_svg(folder / "metrics.csv"),
                      "Blue: the weights that are delivered; grey: those before averaging, where the recipe averages; dashed: training. One run says "
                      "little about the next seed: see mnist-dist sweep.");
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [name, value] : summary.items()) lines.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  body += html_pairs(lines);
  body += html_details("The recipe (config.toml)", read_text_file(folder / "config.toml"));
  body += html_details("metrics.csv", read_text_file(folder / "metrics.csv"));
  return html_page(title, body);
}

}  // namespace mnist_dist
