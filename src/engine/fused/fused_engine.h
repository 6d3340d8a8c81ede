#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/slice_worker.h"

namespace mnist_dist {

namespace fused {
class PhaseClock;
}

/// The arithmetic of docs/arithmetic.md: the same bits on every SIMD target.
inline constexpr char fused_arithmetic[] = "16 lanes";

/// The SIMD targets this CPU can run, the best first: "avx512", "avx2", "sse4", "neon", "sse2" or
/// "scalar".
std::vector<std::string> fused_targets();

/// `wanted`, or the best target when it is "".
/// Throws: Error (usage) when this CPU or this build does not have it.
std::string choose_fused_target(const std::string& wanted);

/// One thread's worker of the fused engine, on a target of fused_targets(). `watch`, if given,
/// times the phases of `train`.
/// Throws: Error (usage) for a layer that it does not support, and names it.
std::unique_ptr<SliceWorker> make_fused_worker(const EngineOptions& options,
                                               const std::string& target,
                                               fused::PhaseClock* watch = nullptr);

/// The default engine on CPUs: our own SIMD kernels, images in the vector lanes.
std::unique_ptr<Engine> make_fused_engine(const EngineOptions& options);

}  // namespace mnist_dist
