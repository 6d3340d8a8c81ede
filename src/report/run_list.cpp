#include "report/run_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_text.h"
#include "base/plural.h"
#include "data/data_name.h"
#include "report/run_record.h"
#include "report/search_page.h"
#include "report/text_table.h"
#include "sweep/places.h"
#include "sweep/seeds.h"
#include "sweep/verdict.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Behind a result that is not MNIST's.
void name_set(ListedRun& listed, bool synthetic, const std::string& data_set) {
  listed.data_set = synthetic ? "SYNTHETIC" : is_set_name(data_set) ? data_set : "";
  if (!listed.result.empty() && !listed.data_set.empty())
    listed.result += fmt::format(" ({})", listed.data_set);
}

ListedRun listed_run(const fs::path& folder) {
  const RunRecord run = read_run(folder);
  ListedRun listed;
  listed.recipe = run.summary.recipe;
  listed.seeds = std::to_string(run.summary.seed);
  listed.status = state_of(run);
  listed.layer = run.status.layer;
  const int epochs = run.recipe ? run.recipe->train.epochs : run.status.epochs;
  const int done = run.status.all_steps > 0 ? run.status.epoch : run.curve.epochs;
  listed.progress = fmt::format("{}/{} epochs", done, epochs);
  if (run.ended && listed.status == "max_steps")
    listed.progress = fmt::format("{}/{} steps", run.summary.steps, run.status.all_steps);
  if (run.final_accuracy >= 0) {
    listed.accuracy = run.final_accuracy;
    listed.result = fmt::format("{:.2f} %", run.final_accuracy);
  }
  if (!run.ended && !listed.result.empty()) listed.result += " so far";
  name_set(listed, run.summary.data.synthetic, run.summary.data.set);
  return listed;
}

/// Whether a process works on a seed that has no row yet.
bool is_swept(const fs::path& folder, const SweepRecord& record) {
  return std::ranges::any_of(parse_seeds(record.identity.seeds), [&](std::uint64_t seed) {
    return !std::ranges::binary_search(record.outcomes, seed, {}, &SeedOutcome::seed) &&
           is_worked_in(seed_run_folder(folder, seed));
  });
}

ListedRun listed_sweep(const fs::path& folder) {
  const SweepRecord record = read_record(folder);
  const Verdict v = verdict_of(record);
  ListedRun listed;
  listed.recipe = record.identity.recipe;
  listed.seeds = record.identity.seeds;
  listed.progress = fmt::format("{}/{} seeds", v.counted.size(), v.requested);
  listed.status = name_of(v.answer);
  if (v.missing > 0 && is_swept(folder, record)) listed.status = "running";
  if (v.trained > 0) {
    listed.accuracy = v.final.mean;
    listed.result = fmt::format("mean {:.3f} %, min {:.2f} %", v.final.mean, v.final.min);
  }
  name_set(listed, record.identity.data.synthetic, record.identity.data.set);
  return listed;
}

ListedRun listed_search(const fs::path& folder) {
  const SearchRecord search = read_search(folder);
  ListedRun listed;
  listed.progress = fmt::format("{} candidate{}", search.rows.size(), plural(search.rows.size()));
  listed.status = is_worked_in(folder) ? "running" : search.finished ? "finished" : "stopped";
  if (search.rows.empty() || !search.rows.front().mean) return listed;
  const SearchRow& best = search.rows.front();
  listed.recipe = best.recipe;
  listed.accuracy = *best.mean;
  listed.result = fmt::format("best validation accuracy {:.3f} %", *best.mean);
  name_set(listed, search.data == data_name({.synthetic = true}), search.data_set);
  return listed;
}

/// The file that is as new as a folder's results. "": the folder holds none.
fs::path result_file(const fs::path& folder) {
  if (fs::exists(folder / "sweep.json")) return folder / "sweep.json";
  if (is_run(folder)) return folder / "metrics.csv";
  return is_search(folder) ? folder : fs::path();
}

}  // namespace

std::vector<ListedRun> list_runs(const fs::path& folder) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  const auto look_at = [&](const fs::path& path) {
    if (const fs::path file = result_file(path); !file.empty())
      found.emplace_back(fs::last_write_time(file), path);
  };
  if (is_run(folder) || fs::exists(folder / "sweep.json"))
    look_at(folder);
  else
    for (const auto& entry : fs::directory_iterator(folder, error)) look_at(entry.path());
  if (error)
    throw usage_error(fmt::format("cannot list {}: {}", folder.string(), error.message()),
                      "name a folder of runs, or train one with mnist-dist");
  std::sort(found.rbegin(), found.rend());
  std::vector<ListedRun> list;
  for (const auto& [time, path] : found) {
    ListedRun listed;
    try {
      listed = fs::exists(path / "sweep.json") ? listed_sweep(path)
               : is_run(path)                  ? listed_run(path)
                                               : listed_search(path);
    } catch (const Error& problem) {
      listed.status = "damaged";
      listed.result = problem.what();
    }
    listed.folder = path;
    listed.name = fs::absolute(path).lexically_normal().filename().string();
    list.push_back(std::move(listed));
  }
  return list;
}

std::string runs_table(const std::vector<ListedRun>& runs, int columns) {
  const std::vector<TextColumn> table{
      {.name = "name", .left = true, .importance = 6, .narrowest = 12},
      {.name = "recipe", .left = true, .importance = 2, .narrowest = 12},
      {.name = "seed", .importance = 1},
      {.name = "progress", .importance = 3},
      {.name = "status", .left = true, .importance = 5, .narrowest = 10},
      {.name = "result", .left = true, .importance = 4, .narrowest = 12}};
  std::vector<std::vector<std::string>> rows;
  for (const ListedRun& run : runs) {
    const std::string status =
        run.layer.empty() ? run.status : fmt::format("{} in {}", run.status, run.layer);
    rows.push_back({run.name, run.recipe, run.seeds, run.progress, status, run.result});
  }
  return text_table(table, rows, columns);
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
                    {"result", run.result},
                    {"accuracy", run.accuracy ? nlohmann::ordered_json(*run.accuracy) : nullptr},
                    {"data_set", run.data_set},
                    {"folder", run.folder.string()}});
  return json_text(list);
}

}  // namespace mnist_dist
