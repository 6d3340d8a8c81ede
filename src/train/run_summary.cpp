#include "train/run_summary.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace mnist_dist {
namespace {

enum class Presence { always, unless_empty };

/// Calls visit(key, member, presence) for each key, in the file's order. `summary` is a RunSummary,
/// const or not.
template <class AnySummary, class Visit>
void visit_keys(AnySummary& summary, Visit&& visit) {
  using enum Presence;
  const std::string scored = summary.scored();
  visit("recipe", summary.recipe, always);
  visit("seed", summary.seed, always);
  visit("parameter_count", summary.parameter_count, always);
  visit("epochs", summary.epochs, always);
  visit("steps", summary.steps, always);
  visit("final_" + scored + "_accuracy", summary.final.accuracy, always);
  visit("final_" + scored + "_loss", summary.final.loss, always);
  visit("final_" + scored + "_correct", summary.final.correct, always);
  visit("best_" + scored + "_accuracy", summary.best.accuracy, always);
  visit("best_epoch", summary.best.epoch, always);
  visit("averaged", summary.averaged, always);
  visit("parameters_sha256", summary.parameters_sha256, always);
  visit("raw_parameters_sha256", summary.raw_parameters_sha256, always);
  visit("engine", summary.engine.name, always);
  visit("simd", summary.engine.simd, always);
  visit("arithmetic", summary.engine.arithmetic, always);
  visit("device", summary.engine.device, always);
  visit("ranks", summary.ranks, always);
  visit("threads", summary.threads, always);
  visit("data_file", summary.data.file, always);
  visit("data_hash", summary.data.hash, always);
  visit("synthetic", summary.data.synthetic, always);
  visit("versions", summary.engine.versions, always);
  visit("host", summary.host, always);
  visit("command", summary.command, always);
  visit("started", summary.started, always);
  visit("ended", summary.ended, always);
  visit("seconds", summary.seconds, always);
  visit("images_per_second", summary.images_per_second, always);
  visit("stopped_by", summary.stopped_by, unless_empty);
  visit("data_set", summary.data.set, unless_empty);
  visit("initial_parameters_sha256", summary.initial_parameters_sha256, unless_empty);
}

}  // namespace

std::string summary_json(const RunSummary& summary) {
  nlohmann::ordered_json json;
  visit_keys(summary, [&](const std::string& key, const auto& value, Presence presence) {
    const nlohmann::ordered_json written = value;
    if (presence == Presence::always || written != "") json[key] = written;
  });
  // Paths and the command may hold bytes that are not UTF-8: no reason to lose the rest.
  return json_text(json);
}

void read_summary(RunSummary& summary, const nlohmann::ordered_json& json) {
  visit_keys(summary, [&](const std::string& key, auto& value, Presence) {
    if (json.contains(key)) json.at(key).get_to(value);
  });
}

}  // namespace mnist_dist
