#include "report/contestant.h"

#include <fmt/format.h>

#include "base/error.h"
#include "data/data_name.h"
#include "report/run_record.h"
#include "report/sweep_verdict.h"
#include "sweep/record.h"
#include "sweep/verdict.h"
#include "train/checkpoint.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Points = std::vector<std::pair<double, double>>;

/// Means by epoch over several curves.
class MeanCurve {
 public:
  void add(double epoch, double value) {
    auto& [sum, count] = at_[epoch];
    sum += value;
    ++count;
  }
  Points points() const {
    Points out;
    for (const auto& [epoch, entry] : at_) out.emplace_back(epoch, entry.first / entry.second);
    return out;
  }

 private:
  std::map<double, std::pair<double, int>> at_;
};

/// "at epoch 1 step 4 in layer 3 (conv = 12)", "after epoch 2".
std::string place_of(const RunRecord& run) {
  const RunStatus& status = run.status;
  const auto epoch = static_cast<std::uint32_t>(status.epoch);
  if (status.state == "max_steps")
    return fmt::format("after {} of {} steps", run.summary.steps, status.all_steps);
  if (status.state != "diverged") return "after " + place_text(epoch, status.step);
  // The step under way.
  const std::string place = "at " + place_text(epoch, status.step + 1);
  return status.layer.empty() ? place : fmt::format("{} in {}", place, status.layer);
}

Contestant of_run(const fs::path& folder) {
  RunRecord run = read_run(folder);
  Contestant c;
  c.state = state_of(run);
  c.place = place_of(run);
  c.recipe = run.summary.recipe;
  c.config = run.recipe;
  if (run.ended) c.accuracies[run.summary.seed] = run.final_accuracy;
  c.diverged = c.state == "diverged";
  c.images = run.images;
  c.scored = scored_text(run.summary.data, run.summary.validation);
  c.data = run.data;
  c.data_hash = run.summary.data.hash;
  c.parameter_count = run.summary.parameter_count;
  c.seconds = run.summary.seconds;
  for (const EpochRow& row : run.epochs) {
    if (row.delivered()) c.accuracy.emplace_back(row.epoch, row.delivered()->accuracy);
    c.loss.emplace_back(row.epoch, row.train.loss);
  }
  c.predictions = std::move(run.predictions);
  return c;
}

Contestant of_sweep(const fs::path& folder) {
  const SweepRecord record = read_record(folder);
  const SweepIdentity& id = record.identity;
  Contestant c;
  c.recipe = id.recipe;
  c.config = parse_config(record.recipe_text, (folder / "config.toml").string());
  c.images = id.images;
  c.scored = scored_text(id.data, id.validation);
  c.data = data_name(id.data);
  c.data_hash = id.data.hash;
  c.parameter_count = id.parameter_count;
  c.state = verdict_of(record).missing > 0 ? "incomplete" : "complete";
  MeanCurve accuracy, loss;
  for (const SeedOutcome& outcome : record.outcomes) {
    if (outcome.diverged) {
      ++c.diverged;
      continue;
    }
    c.accuracies[outcome.seed] = accuracy_of(outcome);
    c.seconds += outcome.seconds;
    for (const EpochRow& row : outcome.epochs) {
      if (row.delivered()) accuracy.add(row.epoch, row.delivered()->accuracy);
      loss.add(row.epoch, row.train.loss);
    }
  }
  if (!c.accuracies.empty()) c.seconds /= static_cast<double>(c.accuracies.size());
  c.accuracy = accuracy.points();
  c.loss = loss.points();
  return c;
}

}  // namespace

Contestant read_contestant(const fs::path& folder, std::string label) {
  const bool sweep = fs::exists(folder / "sweep.json");
  if (!sweep && !is_run(folder))
    throw usage_error(fmt::format("{}: neither a sweep nor a run", folder.string()),
                      "name folders that mnist-dist train or sweep wrote");
  Contestant c = sweep ? of_sweep(folder) : of_run(folder);
  c.label = std::move(label);
  c.folder = folder;
  return c;
}

std::string Contestant::state_text() const {
  if (state == "finished") return "";
  if (state != "complete" && state != "incomplete")
    return fmt::format("{} {}", state == "max_steps" ? "stopped by train.max_steps" : state, place);
  std::string text = state == "incomplete" ? state : "";
  if (diverged > 0) text += fmt::format("{}{} diverged", text.empty() ? "" : ", ", diverged);
  return text;
}

}  // namespace mnist_dist
