#include "report/fused_table.h"

#include <fmt/format.h>

#include "report/text_table.h"

namespace mnist_dist {
namespace {

using fused::Phase;

constexpr double timer_noise = 1e-6;  // seconds, below them a phase did not happen

double seconds(const fused::PhaseClock::Times& times, Phase phase) {
  return times[static_cast<std::size_t>(phase)];
}

std::string rate(double flops, double time, const FmaPeak& peak) {
  if (time < timer_noise) return "-";
  const double gflops = flops / time * 1e-9;
  return fmt::format("{:.0f} ({:.0f}%)", gflops, 100 * gflops / peak.gflops);
}

struct PhaseName {
  Phase phase;
  const char* name;
};
constexpr PhaseName phase_names[] = {
    {Phase::input, "input"},
    {Phase::weights, "weights"},
    {Phase::forward, "forward"},
    {Phase::input_gradient, "input gradient"},
    {Phase::weight_gradient, "weight gradient"},
    {Phase::pointwise, "pointwise"},
    {Phase::dropout, "dropout"},
    {Phase::loss, "loss"},
};

}  // namespace

std::string fused_table(const ModelSpec& model,
                        const std::vector<fused::PhaseClock::Times>& profile, int slice,
                        const FmaPeak& peak, int columns) {
  const std::vector<TextColumn> table{
      {.name = "layer", .width = 26, .left = true, .importance = 9, .narrowest = 12},
      {.name = "forward", .width = 14, .importance = 8},
      {.name = "input gradient", .importance = 7},
      {.name = "weight gradient", .importance = 6}};
  std::vector<std::vector<std::string>> rows;
  const auto shapes = layer_shapes(model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].macs == 0) continue;
    const double flops = 2.0 * static_cast<double>(shapes[i].macs) * slice;
    const auto& times = profile[i + 1];
    rows.push_back({layer_name(model, static_cast<int>(i)),
                    rate(flops, seconds(times, Phase::forward), peak),
                    i == 0 ? "-" : rate(flops, seconds(times, Phase::input_gradient), peak),
                    rate(flops, seconds(times, Phase::weight_gradient), peak)});
  }
  double whole = 0;
  for (const auto& times : profile)
    for (const double time : times) whole += time;
  std::string text = "fused, GFLOP/s of the definition, and of peak\n" +
                     text_table(table, rows, columns) + "of a step:";
  for (const auto& [phase, name] : phase_names) {
    double sum = 0;
    for (const auto& times : profile) sum += seconds(times, phase);
    text +=
        fmt::format(" {} {:.1f}%{}", name, 100 * sum / whole, phase == Phase::loss ? "\n" : ",");
  }
  return folded(text, columns);
}

}  // namespace mnist_dist
