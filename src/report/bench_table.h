#pragma once
#include <string>
#include <vector>

#include "engine/bench/rounds.h"

namespace mnist_dist {

/// A table with one row per contender: median, lowest and highest images/s (training's or
/// evaluation's, by `rates`), the FLOP rate and its share of the peak of its cores (none on a GPU),
/// and the ratios to `plain` (its index, -1 without it) and to its own engine on one thread. Ratios
/// are medians of the rounds' ratios, so that a slow round cancels. It fits into `columns` (0: any
/// width).
std::string bench_table(const std::vector<Contender>& contenders,
                        std::vector<double> Contender::*rates, int plain, const FmaPeak& peak,
                        double flops_per_image, int columns);

}  // namespace mnist_dist
