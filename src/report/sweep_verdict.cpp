#include "report/sweep_verdict.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
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

std::map<std::uint64_t, double> accuracies(const SweepRecord& record) {
  std::map<std::uint64_t, double> by_seed;
  for (const SeedOutcome& outcome : record.outcomes)
    if (!outcome.diverged) by_seed[outcome.seed] = accuracy_of(outcome);
  return by_seed;
}

}  // namespace

std::string scored_text(const SweepIdentity& identity) {
  return data_name(identity.data_hash, identity.synthetic) + (identity.validation ? ", validation rows" : ", test set");
}

std::string last_group_text(const SweepIdentity& identity) {
  return identity.last_group_ranks > 0 ? fmt::format(" ({} in the last)", identity.last_group_ranks) : "";
}

std::string headline(const SweepRecord& record, const Verdict& v) {
  std::string text = fmt::format("{}: {} of {} seeds reached {} % ({} of {} correct)", name_of(v.answer), v.reached, v.requested,
                                 record.identity.target, v.required_correct, v.images);
  if (v.diverged > 0) text += fmt::format("; {} diverged", v.diverged);
  if (v.missing > 0) text += fmt::format("; {} not trained yet", v.missing);
  return text;
}

std::vector<std::pair<std::string, std::string>> verdict_lines(const Verdict& v) {
  const Statistics& s = v.final;
  if (s.n == 0) return {};
  std::vector<std::pair<std::string, std::string>> lines;
  lines.emplace_back("seeds", fmt::format("{} trained to the end{}", s.n, v.diverged > 0 ? fmt::format(", {} diverged (failures)", v.diverged) : ""));
  lines.emplace_back("reached", fmt::format("{} of {}; so at least {:.2f} % of all seeds do (Clopper-Pearson, one-sided 95 %)", v.reached,
                                            v.trained + v.diverged, 100 * v.reached_lower_bound));
  lines.emplace_back("one run", fmt::format("reaches the target with a chance of {:.0f} % (exact 95 % interval {:.1f} .. {:.1f} %)",
                                            100.0 * v.reached / (v.trained + v.diverged), 100 * v.chance.low, 100 * v.chance.high));
  if (s.n > 1) {
    lines.emplace_back("mean", fmt::format("{:.4f} %, 95 % interval {:.4f} .. {:.4f} (t); at least {:.4f} (one-sided 95 %)", s.mean,
                                           s.mean_interval.low, s.mean_interval.high, s.mean_lower_bound));
    lines.emplace_back("SD", fmt::format("{:.4f}, 95 % interval {:.4f} .. {:.4f} (chi-square)", s.sd, s.sd_interval.low, s.sd_interval.high));
  } else {
    lines.emplace_back("mean", fmt::format("{:.4f} % (one run: no interval)", s.mean));
  }
  lines.emplace_back("quantiles", fmt::format("min {:.2f}, p1 {:.2f}, p5 {:.2f}, median {:.2f}, max {:.2f}", s.min, s.p1, s.p5, s.p50, s.max));
  lines.emplace_back("resolution", fmt::format("{:.4f}: standard error of one run that {} images alone cause (binomial)", v.resolution, v.images));
  lines.emplace_back("footnote", fmt::format("each seed's best epoch: mean {:.4f} %, min {:.2f}; optimistic, as the score itself chose it",
                                             v.best.mean, v.best.min));
  if (v.others > 0) lines.emplace_back("not counted", fmt::format("{} more seeds on file that were not asked for", v.others));
  return lines;
}

std::string sweep_summary_json(const SweepRecord& record, const Verdict& v) {
  const std::string scored = record.identity.scored();
  Json summary{{"verdict", name_of(v.answer)},
               {"recipe", record.identity.recipe},
               {"parameter_count", record.identity.parameter_count},
               {"epochs", record.identity.epochs},
               {"synthetic", record.identity.synthetic},
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
  return summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string comparison_text(const SweepRecord& a, const SweepRecord& b) {
  const auto refuse = [](const std::string& what) { return usage_error(what, "compare sweeps over the same data and split"); };
  if (a.identity.data_hash != b.identity.data_hash || a.identity.scored() != std::string(b.identity.scored()) ||
      a.identity.images != b.identity.images)
    throw refuse(fmt::format("the two sweeps were scored on different images: {} {} and {} {}", a.identity.images, scored_text(a.identity),
                             b.identity.images, scored_text(b.identity)));
  const auto of_a = accuracies(a), of_b = accuracies(b);
  const Comparison c = compare_paired(of_a, of_b);
  const Statistics& d = c.difference;
  if (d.n == 0) throw refuse("the two sweeps have no seed in common that both trained to the end");
  const auto line = [](const char* name, const SweepRecord& record, const std::map<std::uint64_t, double>& values, const Statistics& s) {
    return fmt::format("{}  {:<16} {:>6} parameters  {:>4} seeds ({} diverged)  mean {:.4f} %  SD {:.4f}\n", name, record.identity.recipe,
                       record.identity.parameter_count, values.size(), record.outcomes.size() - values.size(), s.mean, s.sd);
  };
  const auto statistics = [](const std::map<std::uint64_t, double>& values) {
    std::vector<double> list;
    for (const auto& [seed, value] : values) list.push_back(value);
    return statistics_of(list);
  };
  std::string text = fmt::format("final accuracy, {}, {} images\n", scored_text(a.identity), a.identity.images);
  text += line("A", a, of_a, statistics(of_a)) + line("B", b, of_b, statistics(of_b));
  text += fmt::format("paired by seed: {} pairs; {} seeds are in one sweep only or diverged in one\n", d.n,
                      of_a.size() + of_b.size() - 2 * static_cast<std::size_t>(d.n));
  text += d.n > 1 ? fmt::format("B - A  {:+.4f} points, 95 % interval {:+.4f} .. {:+.4f} (paired t); SD of the differences {:.4f}\n", d.mean,
                                d.mean_interval.low, d.mean_interval.high, d.sd)
                  : fmt::format("B - A  {:+.4f} points (one pair: no interval)\n", d.mean);
  text += fmt::format("B is better on {}, equal on {}, worse on {} seeds\n", c.better, c.same, c.worse);
  return text;
}

}  // namespace mnist_dist
