#include "report/sweep_verdict.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/grouped.h"
#include "base/json_text.h"
#include "base/plural.h"
#include "data/data_name.h"

namespace mnist_dist {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Statistics& s) {
  return {{"n", s.n},
          {"mean", s.mean},
          {"mean_interval_95", {s.mean_interval.low, s.mean_interval.high}},
          {"mean_lower_bound_95", s.mean_lower_bound},
          {"sd", s.sd},
          {"sd_interval_95", {s.sd_interval.low, s.sd_interval.high}},
          {"min", s.min},
          {"p1", s.p1},
          {"p5", s.p5},
          {"p50", s.p50},
          {"max", s.max}};
}

/// A quantile of few seeds is only a different name for the worst one.
std::string quantiles_text(const Statistics& s) {
  constexpr int enough_for_p1 = 100, enough_for_p5 = 20;
  std::string text = fmt::format("min {:.2f}, ", s.min);
  if (s.n >= enough_for_p1) text += fmt::format("p1 {:.2f}, ", s.p1);
  if (s.n >= enough_for_p5) text += fmt::format("p5 {:.2f}, ", s.p5);
  return text + fmt::format("median {:.2f}, max {:.2f}", s.p50, s.max);
}

}  // namespace

std::string scored_text(const DataSource& data, bool validation) {
  return data_name(data) + (validation ? ", validation rows" : ", test set");
}

std::string last_group_text(const SweepIdentity& identity) {
  return identity.last_group_ranks > 0 ? fmt::format(" ({} in the last)", identity.last_group_ranks)
                                       : "";
}

std::string headline(const SweepRecord& record, const Verdict& v) {
  std::string text = fmt::format("{}: {} of {} seed{} reached {} % ({} of {} correct)",
                                 name_of(v.answer), v.reached, v.requested, plural(v.requested),
                                 record.identity.target, v.required_correct, v.images);
  if (v.diverged > 0) text += fmt::format(", {} diverged", v.diverged);
  if (v.missing > 0) text += fmt::format(", {} not trained yet", v.missing);
  return text;
}

std::vector<std::pair<std::string, std::string>> verdict_lines(const Verdict& v) {
  const Statistics& s = v.final;
  if (s.n == 0) return {};
  std::vector<std::pair<std::string, std::string>> lines;
  lines.emplace_back(
      "seeds",
      fmt::format("{} trained {}{}", s.n,
                  v.max_steps > 0 ? fmt::format("for at most {} step{} (train.max_steps)",
                                                grouped(v.max_steps), plural(v.max_steps))
                                  : "to the end",
                  v.diverged > 0 ? fmt::format(", {} diverged (failures)", v.diverged) : ""));
  lines.emplace_back(
      "reached",
      fmt::format(
          "{} of {}, hence at least {:.2f} % of all seeds (Clopper-Pearson, one-sided 95 %)",
          v.reached, v.trained + v.diverged, 100 * v.reached_lower_bound));
  lines.emplace_back(
      "one run",
      fmt::format(
          "reaches the target with a chance of {:.0f} % (exact 95 % interval {:.1f} .. {:.1f} %)",
          100.0 * v.reached / (v.trained + v.diverged), 100 * v.chance.low, 100 * v.chance.high));
  if (s.n > 1) {
    lines.emplace_back(
        "mean",
        fmt::format(
            "{:.4f} %, 95 % interval {:.4f} .. {:.4f} (t), at least {:.4f} (one-sided 95 %)",
            s.mean, s.mean_interval.low, s.mean_interval.high, s.mean_lower_bound));
    lines.emplace_back("SD", fmt::format("{:.4f}, 95 % interval {:.4f} .. {:.4f} (chi-square)",
                                         s.sd, s.sd_interval.low, s.sd_interval.high));
  } else {
    lines.emplace_back("mean", fmt::format("{:.4f} % (one run: no interval)", s.mean));
  }
  lines.emplace_back("quantiles", quantiles_text(s));
  lines.emplace_back(
      "resolution",
      fmt::format("{:.4f}: standard error of one run that {} images alone cause (binomial)",
                  v.resolution, v.images));
  lines.emplace_back("footnote", fmt::format("each seed's best epoch: mean {:.4f} %, min {:.2f} "
                                             "(optimistic, because it is selected by this score)",
                                             v.best.mean, v.best.min));
  if (v.others > 0)
    lines.emplace_back("not counted", fmt::format("{} more seed{} in the folder, not requested",
                                                  v.others, plural(v.others)));
  return lines;
}

std::string sweep_summary_json(const SweepRecord& record, const Verdict& v) {
  const std::string scored = record.identity.scored();
  Json summary{{"verdict", name_of(v.answer)},
               {"recipe", record.identity.recipe},
               {"parameter_count", record.identity.parameter_count},
               {"epochs", record.identity.epochs},
               {"synthetic", record.identity.data.synthetic},
               {"data", data_name(record.identity.data)},
               {"scored", scored},
               {"images", v.images},
               {"target", record.identity.target},
               {"required_correct", v.required_correct},
               {"seeds", record.identity.seeds},
               {"requested", v.requested},
               {"trained", v.trained},
               {"diverged", v.diverged},
               {"missing", v.missing},
               {"not_counted", v.others},
               {"reached", v.reached},
               {"reached_lower_bound_95", v.reached_lower_bound},
               {"reached_interval_95", {v.chance.low, v.chance.high}},
               {"final_" + scored + "_accuracy", json_of(v.final)},
               {"best_" + scored + "_accuracy_optimistic", json_of(v.best)},
               {"resolution", v.resolution}};
  summary.update(Json::parse(sweep_json(record.identity)));
  return json_text(summary);
}

}  // namespace mnist_dist
