#include "report/run_record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/folder_lock.h"
#include "config/recipes.h"
#include "sweep/rates_check.h"
#include "sweep/summary_check.h"
#include "train/checkpoint.h"
#include "train/run_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string metrics_file(const RunRecord& run) { return (run.folder / "metrics.csv").string(); }

void read_recipe(RunRecord& run) {
  const fs::path file = run.folder / "config.toml";
  run.recipe_text = read_text_file(file);
  try {
    run.recipe = parse_config(run.recipe_text, file.string());
    run.summary.parameter_count = parameter_count(run.recipe->model);
    if (run.ended) return;  // summary.json has them
    run.summary.recipe = recipe_title(*run.recipe);
    run.summary.seed = run.recipe->train.seed;
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage) throw;
    if (run.ended) throw damaged_file_error(file.string(), error.what(), scoring_hint(run.folder));
  }
}

/// predictions.csv against the accuracy. A run of an earlier version has none.
void read_run_predictions(RunRecord& run) {
  const fs::path file = run.folder / "predictions.csv";
  if (!fs::exists(file)) return;
  run.predictions = read_predictions(file);
  run.images = static_cast<std::int64_t>(run.predictions.size());
  if (run.predictions.empty()) return;
  const int classes = run.recipe->model.classes;
  for (const Prediction& p : run.predictions)
    if (p.label >= classes || p.predicted >= classes)
      throw data_error(fmt::format("{}: image {} has class {} (expected 0 to {})", file.string(),
                                   p.index, std::max(p.label, p.predicted), classes - 1),
                       "put the file back as it was, or remove it");
  const auto right = std::ranges::count_if(run.predictions, &Prediction::right);
  const double accuracy = 100.0 * static_cast<double>(right) / static_cast<double>(run.images);
  if (!same_accuracy(accuracy, run.final_accuracy))
    throw data_error(fmt::format("{} contradicts summary.json (got {:.4f} %, expected {:.4f} %)",
                                 file.string(), accuracy, run.final_accuracy),
                     "put the file back as it was, or remove it");
}

void read_run_summary(RunRecord& run, const std::string& text) {
  const fs::path file = run.folder / "summary.json";
  try {
    const Json json = Json::parse(text.empty() ? read_text_file(file) : text);
    RunSummary& summary = run.summary;
    read_summary(summary, json);
    run.data = data_name(summary.data);
    const auto checkpoint = finished_checkpoint(run.folder);
    if (checkpoint) check_recipe_in(run.folder, *run.recipe, *checkpoint);
    check_summary_recipe(json, run.folder, *run.recipe);
    const int steps_per_epoch = steps_per_epoch_of(json, *run.recipe);
    check_rates(run.epochs, last_rates(*run.recipe, steps_per_epoch), metrics_file(run));
    check_summary_scores(json, run.folder, *run.recipe, run.curve, summary.scored());
    check_summary_weights(json, run.folder, checkpoint);
    run.final_accuracy =
        summary.final.accuracy < 0 ? run.curve.final_accuracy : summary.final.accuracy;
    if (run.final_accuracy > 0)
      run.images =
          std::llround(static_cast<double>(summary.final.correct) * 100 / run.final_accuracy);
    for (const auto& [name, value] : json.items())
      run.lines.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  } catch (const Json::exception& error) {
    throw damaged_file_error(file.string(), error.what(), summary_hint(run.folder));
  }
}

/// Of a run that has not ended. 0: unknown.
int steps_per_epoch_of(const RunRecord& run) {
  const bool all = run.status.epochs == run.recipe->train.epochs;
  return known_steps_per_epoch(*run.recipe, "", all ? run.status.all_steps : 0);
}

/// Of a run that has not ended: also where it can be resumed.
void read_how_far(RunRecord& run) {
  const auto found = newest_checkpoint(run.folder);
  if (found && found->checkpoint.finished)
    throw data_error(fmt::format("{} is missing, and the run is finished",
                                 (run.folder / "summary.json").string()),
                     summary_hint(run.folder));
  if (found && run.recipe) check_recipe_in(run.folder, *run.recipe, found->checkpoint);
  DataSource& source = run.summary.data;
  if (found) {
    source.hash = found->checkpoint.data_hash;
    source.set = found->checkpoint.data_set;
    run.data = data_name(source);
  }
  if (!run.status.data.empty()) run.data = run.status.data;
  source.synthetic = run.data == data_name({.synthetic = true});
  if (run.status.state == "diverged" || run.status.state == "failed" || !found) return;
  run.status.epoch = static_cast<int>(found->checkpoint.epoch);
  run.status.step = found->checkpoint.step;
}

}  // namespace

bool is_worked_in(const fs::path& folder) { return lease_is_held(lease_file(folder)); }

std::string state_of(const RunRecord& run) {
  const std::string& state = run.status.state;
  if (run.ended || (state != "running" && !state.empty())) return state;
  return is_worked_in(run.folder) ? "running" : "killed";
}

bool is_run(const fs::path& folder) {
  return fs::exists(folder / "metrics.csv") && fs::exists(folder / "config.toml");
}

RunRecord read_run(const fs::path& folder, const std::string& summary) {
  if (!is_run(folder))
    throw usage_error(fmt::format("{}: neither a run, a sweep nor a search", folder.string()),
                      "name a folder that mnist-dist train, sweep or tune wrote");
  RunRecord run;
  run.folder = folder;
  const CsvTable metrics(folder / "metrics.csv");
  run.summary.validation = scored_in(metrics) == scored_name(true);
  run.epochs = parse_metrics(metrics, run.summary.scored());
  run.curve = curve_of(run.epochs);
  run.ended = !summary.empty() || fs::exists(folder / "summary.json");
  run.status.state = "";
  if (const auto status = read_status(folder)) run.status = *status;
  read_recipe(run);
  if (run.ended) {
    read_run_summary(run, summary);
    if (run.status.state != "max_steps") run.status.state = "finished";
    read_run_predictions(run);
  } else {
    run.final_accuracy = run.curve.final_accuracy;
    if (run.recipe)
      check_rates(run.epochs, last_rates(*run.recipe, steps_per_epoch_of(run)), metrics_file(run));
    read_how_far(run);
  }
  return run;
}

}  // namespace mnist_dist
