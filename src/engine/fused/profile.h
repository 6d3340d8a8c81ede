#pragma once
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/fused/stopwatch.h"

namespace mnist_dist::fused {

/// Where the time of one slice goes: entry 0 what belongs to no layer, then layer after layer. A
/// slice's seconds, each the median of `slices` slices of drawn digits, on the calling thread.
/// `simd` as in EngineOptions. Without the optimiser and the sum over shards.
std::vector<Stopwatch::Times> profile_step(const Config& config, const std::string& simd,
                                           int slices);

}  // namespace mnist_dist::fused
