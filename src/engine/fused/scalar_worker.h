#pragma once
#include <memory>

#include "engine/engine.h"
#include "engine/slice_worker.h"

namespace mnist_dist::fused {

class PhaseClock;

/// The worker on plain C++: one image at a time, std::fma, no SIMD. The reference of
/// docs/arithmetic.md.
std::unique_ptr<SliceWorker> make_scalar_worker(const EngineOptions& options, PhaseClock* watch);

}  // namespace mnist_dist::fused
