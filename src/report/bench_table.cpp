#include "report/bench_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/median.h"
#include "report/text_table.h"

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
                        double flops_per_image, int columns) {
  const std::vector<TextColumn> table{{.width = 21, .left = true, .importance = 9, .narrowest = 12},
                                      {.name = "threads", .importance = 7},
                                      {.name = "images/s", .importance = 8},
                                      {.name = "lowest-highest", .width = 15, .importance = 3},
                                      {.name = "GFLOP/s", .width = 8, .importance = 1},
                                      {.name = "of peak", .importance = 2},
                                      {.name = "x plain", .width = 10, .importance = 6},
                                      {.name = "x 1 thread", .importance = 5}};
  std::vector<std::vector<std::string>> rows;
  for (const Contender& contender : contenders) {
    const auto [lowest, highest] = std::ranges::minmax(contender.*rates);
    const double rate = median(contender.*rates);
    const double gflops = rate * flops_per_image * 1e-9;
    const auto alone = std::ranges::find_if(
        contenders, [&](const Contender& c) { return c.name == contender.name && c.threads == 1; });
    const std::string share =
        contender.on_gpu ? "-"
                         : fmt::format("{:.0f}%", 100 * gflops / (peak.gflops * contender.threads));
    rows.push_back(
        {contender.name, fmt::format("{}", contender.threads), fmt::format("{:.0f}", rate),
         fmt::format("{:.0f}-{:.0f}", lowest, highest), fmt::format("{:.1f}", gflops), share,
         ratio(contender, plain < 0 ? nullptr : &contenders[static_cast<std::size_t>(plain)],
               rates),
         ratio(contender, contender.threads > 1 && alone != contenders.end() ? &*alone : nullptr,
               rates)});
  }
  return text_table(table, rows, columns);
}

}  // namespace mnist_dist
