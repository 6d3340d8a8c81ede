#include "report/run_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "data/data_name.h"
#include "report/run_record.h"
#include "report/text_table.h"
#include "sweep/verdict.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Whether a process works in a folder: its lease is renewed every few seconds.
bool is_worked_in(const fs::path& folder) {
  std::error_code none;
  const auto renewed = fs::last_write_time(folder / ".lease", none);
  constexpr auto stale = std::chrono::seconds(60);
  return !none && std::chrono::abs(fs::file_time_type::clock::now() - renewed) < stale;
}

/// Behind a result that is not MNIST's.
void name_set(ListedRun& listed, const std::string& data_set) {
  if (!listed.result.empty() && is_set_name(data_set))
    listed.result += fmt::format(" ({})", data_set);
}

ListedRun listed_run(const fs::path& folder) {
  const RunRecord run = read_run(folder);
  ListedRun listed;
  listed.recipe = run.recipe_name;
  listed.seeds = std::to_string(run.seed);
  listed.status = run.status.state;
  if (!run.ended && (listed.status == "running" || listed.status.empty()))
    listed.status = is_worked_in(folder) ? "running" : "killed";
  listed.layer = run.status.layer;
  const int epochs = run.recipe ? run.recipe->train.epochs : run.status.epochs;
  const int done = run.status.all_steps > 0 ? run.status.epoch : run.curve.epochs;
  listed.progress = fmt::format("{}/{} epochs", done, epochs);
  if (run.ended && listed.status == "max_steps")
    listed.progress = fmt::format("{}/{} steps", run.steps, run.status.all_steps);
  if (run.final_accuracy >= 0) listed.result = fmt::format("{:.2f} %", run.final_accuracy);
  if (!run.ended && !listed.result.empty()) listed.result += " so far";
  name_set(listed, run.data_set);
  return listed;
}

ListedRun listed_sweep(const fs::path& folder) {
  const SweepRecord record = read_record(folder);
  const Verdict v = verdict_of(record);
  ListedRun listed;
  listed.recipe = record.identity.recipe;
  listed.seeds = record.identity.seeds;
  listed.progress = fmt::format("{}/{} seeds", v.counted.size(), v.requested);
  listed.status = name_of(v.answer);
  if (v.missing > 0 && is_worked_in(folder)) listed.status = "running";
  if (v.trained > 0)
    listed.result = fmt::format("mean {:.3f} %, min {:.2f} %", v.final.mean, v.final.min);
  name_set(listed, record.identity.data_set);
  return listed;
}

}  // namespace

std::vector<ListedRun> list_runs(const fs::path& folder) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const fs::path sweep = entry.path() / "sweep.json", run = entry.path() / "metrics.csv";
    if (fs::exists(sweep))
      found.emplace_back(fs::last_write_time(sweep), entry.path());
    else if (is_run(entry.path()))
      found.emplace_back(fs::last_write_time(run), entry.path());
  }
  if (error)
    throw usage_error(fmt::format("cannot list {}: {}", folder.string(), error.message()),
                      "name a folder of runs, or train one with mnist-dist");
  std::sort(found.rbegin(), found.rend());
  std::vector<ListedRun> list;
  for (const auto& [time, path] : found) {
    ListedRun listed;
    try {
      listed = fs::exists(path / "sweep.json") ? listed_sweep(path) : listed_run(path);
    } catch (const Error& problem) {
      listed.status = "damaged";
      listed.result = problem.what();
    }
    listed.name = path.filename().string();
    list.push_back(std::move(listed));
  }
  return list;
}

std::string runs_table(const std::vector<ListedRun>& runs, int columns) {
  std::vector<TextColumn> table{{"name", 4, true, 6},   {"recipe", 6, true, 2},
                                {"seed", 4, false, 1},  {"progress", 8, false, 3},
                                {"status", 6, true, 5}, {"result", 6, true, 4}};
  std::vector<std::vector<std::string>> rows;
  for (const ListedRun& run : runs) {
    const std::string status =
        run.layer.empty() ? run.status : fmt::format("{} in {}", run.status, run.layer);
    rows.push_back({run.name, run.recipe, run.seeds, run.progress, status, run.result});
    // A reason does not widen the table.
    for (std::size_t i = 0; i < table.size(); ++i)
      if (i != 5 || run.status != "damaged")
        table[i].width =
            std::max(table[i].width, static_cast<int>(printable(rows.back()[i]).size()));
  }
  const auto shown = fitting_columns(table, columns);
  std::string text = table_header(table, shown);
  for (const auto& row : rows) text += table_row(table, shown, row);
  return text;
}

std::string runs_json(const std::vector<ListedRun>& runs) {
  auto list = nlohmann::ordered_json::array();
  for (const ListedRun& run : runs)
    list.push_back({{"name", run.name},
                    {"recipe", run.recipe},
                    {"seeds", run.seeds},
                    {"progress", run.progress},
                    {"status", run.status},
                    {"layer", run.layer},
                    {"result", run.result}});
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace mnist_dist
