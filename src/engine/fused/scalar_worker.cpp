#include "engine/fused/scalar_worker.h"

// The kernels once more, with vectors of one lane: not every Highway has a scalar target on
// every CPU, and some that have one give it four lanes.
#define HWY_COMPILE_ONLY_SCALAR
#include "engine/fused/worker-inl.h"

namespace mnist_dist::fused {

std::unique_ptr<SliceWorker> make_scalar_worker(const EngineOptions& options, Stopwatch* watch) {
  return std::make_unique<N_SCALAR::Worker>(options, watch);
}

}  // namespace mnist_dist::fused
