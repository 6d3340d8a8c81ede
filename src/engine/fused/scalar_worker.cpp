#include "engine/fused/scalar_worker.h"

// The kernels once more, with vectors of one lane: some versions of Highway have no scalar target
// on some CPUs, or one with four lanes.
#define HWY_COMPILE_ONLY_SCALAR
#include "engine/fused/worker-inl.h"

namespace mnist_dist::fused {

std::unique_ptr<SliceWorker> make_scalar_worker(const EngineOptions& options, PhaseClock* watch) {
  return std::make_unique<N_SCALAR::Worker>(options, watch);
}

}  // namespace mnist_dist::fused
