#include "engine/fused/fused_engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "engine/host_engine.h"

namespace mnist_dist {

std::string choose_fused_target(const std::string& wanted) {
  const auto targets = fused_targets();
  if (wanted.empty()) return targets.front();
  if (std::find(targets.begin(), targets.end(), wanted) != targets.end()) return wanted;
  throw usage_error(fmt::format("--simd {}: not on this CPU", wanted),
                    fmt::format("leave --simd out, or choose one of {}", fmt::join(targets, ", ")));
}

std::unique_ptr<Engine> make_fused_engine(const EngineOptions& options) {
  const std::string target = choose_fused_target(options.simd);
  return make_host_engine(options,
                          {.name = "fused",
                           .device = "cpu",
                           .simd = target,
                           .arithmetic = fused_arithmetic,
                           .versions = {}},
                          [options, target] { return make_fused_worker(options, target); });
}

}  // namespace mnist_dist
