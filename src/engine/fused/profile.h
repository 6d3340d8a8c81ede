#pragma once
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/fused/phase_clock.h"

namespace mnist_dist::fused {

/// The time of one slice: entry 0 is outside of layers, then one entry per layer. A slice's
/// seconds, each the median of `slices` slices of drawn digits, on the calling thread. `simd` as in
/// EngineOptions. Without the optimiser and the sum over shards.
std::vector<PhaseClock::Times> profile_step(const Config& config, const std::string& simd,
                                            int slices);

}  // namespace mnist_dist::fused
