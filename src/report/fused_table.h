#pragma once
#include <string>
#include <vector>

#include "engine/bench/fma_peak.h"
#include "engine/fused/phase_clock.h"
#include "model/spec.h"

namespace mnist_dist {

/// The fused engine's profile: one line per layer with weights, GFLOP/s forward and of both
/// gradients with their share of the core's peak, then each phase's share of a step. FLOPs are the
/// definition's: an algorithm that saves multiplications can pass the peak.
std::string fused_table(const ModelSpec& model,
                        const std::vector<fused::PhaseClock::Times>& profile, int slice,
                        const FmaPeak& peak, int columns);

}  // namespace mnist_dist
