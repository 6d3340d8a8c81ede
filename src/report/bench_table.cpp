#include "report/bench_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace mnist_dist {
namespace {

/// "1.02x", or empty.
std::string ratio(const Contender& contender, const Contender* base,
                  std::vector<double> Contender::*rates) {
  if (!base) return "-";
  std::vector<double> ratios;
  for (std::size_t round = 0; round < (contender.*rates).size(); ++round)
    ratios.push_back((contender.*rates)[round] / (base->*rates)[round]);
  return fmt::format("{:.2f}x", median(ratios));
}

}  // namespace

std::string bench_table(const std::vector<Contender>& contenders,
                        std::vector<double> Contender::*rates, int plain, const FmaPeak& peak,
                        double flops_per_image) {
  std::size_t width = 22;
  for (const Contender& contender : contenders) width = std::max(width, contender.name.size() + 1);
  std::string table =
      fmt::format("{:<{}}{:>8}{:>10}{:>17}{:>10}{:>9}{:>12}{:>12}\n", "", width, "threads",
                  "images/s", "lowest-highest", "GFLOP/s", "of peak", "x plain", "x 1 thread");
  for (const Contender& contender : contenders) {
    const auto [lowest, highest] = std::ranges::minmax(contender.*rates);
    const double rate = median(contender.*rates);
    const double gflops = rate * flops_per_image * 1e-9;
    const auto alone = std::ranges::find_if(
        contenders, [&](const Contender& c) { return c.name == contender.name && c.threads == 1; });
    const std::string share =
        contender.on_gpu ? "-"
                         : fmt::format("{:.0f}%", 100 * gflops / (peak.gflops * contender.threads));
    table += fmt::format(
        "{:<{}}{:>8}{:>10.0f}{:>17}{:>10.1f}{:>9}{:>12}{:>12}\n", contender.name, width,
        contender.threads, rate, fmt::format("{:.0f}-{:.0f}", lowest, highest), gflops, share,
        ratio(contender, plain < 0 ? nullptr : &contenders[static_cast<std::size_t>(plain)], rates),
        ratio(contender, contender.threads > 1 && alone != contenders.end() ? &*alone : nullptr,
              rates));
  }
  return table;
}

}  // namespace mnist_dist
