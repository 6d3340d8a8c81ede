#pragma once
#include <string>
#include <vector>

#include "engine/bench/rounds.h"

namespace mnist_dist {

/// One line a contender: median, lowest and highest images/s (training's or evaluation's, as
/// `rates` names), the FLOP rate and its share of the peak of the cores it had (none on a GPU), and
/// how often as fast as `plain` (its index; -1: not there) and as its own engine on one thread it
/// was. Ratios are medians of the rounds' ratios: what slows a whole round down cancels.
std::string bench_table(const std::vector<Contender>& contenders,
                        std::vector<double> Contender::*rates, int plain, const FmaPeak& peak,
                        double flops_per_image);

}  // namespace mnist_dist
