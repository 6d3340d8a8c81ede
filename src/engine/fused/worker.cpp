#include <algorithm>

#include "engine/fused/fused_engine.h"
#include "engine/fused/scalar_worker.h"

// Everything up to HWY_ONCE is compiled once per SIMD target.
#include "engine/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/fused/worker.cpp"
#include <hwy/foreach_target.h>
// After foreach_target
#include <hwy/highway.h>

// Highway's scalar targets are no SIMD.
#define MNIST_DIST_SCALAR (HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128)
#if !MNIST_DIST_SCALAR
#include "engine/fused/worker-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused::HWY_NAMESPACE {

std::unique_ptr<SliceWorker> make_worker(const EngineOptions& options, PhaseClock* watch) {
#if MNIST_DIST_SCALAR
  return make_scalar_worker(options, watch);
#else
  return std::make_unique<Worker>(options, watch);
#endif
}

}  // namespace mnist_dist::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist {
namespace fused {
namespace {

HWY_EXPORT(make_worker);

}  // namespace
}  // namespace fused

std::vector<std::string> fused_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (const std::string name = simd_target_name(target);
        std::ranges::find(names, name) == names.end())
      names.push_back(name);
  if (names.back() != scalar_target) names.emplace_back(scalar_target);
  return names;
}

std::unique_ptr<SliceWorker> make_fused_worker(const EngineOptions& options,
                                               const std::string& target,
                                               fused::PhaseClock* watch) {
  if (target == scalar_target) return fused::make_scalar_worker(options, watch);
  using fused::HWY_DISPATCH_TABLE(make_worker);
  return HWY_DISPATCH_TABLE(make_worker)[simd_target_index(target)](options, watch);
}

}  // namespace mnist_dist
#endif
