#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace mnist_dist {

/// Everything that decides an engine's bits besides recipe, seed and data. Ranks compare it, runs
/// record it.
struct EngineInfo {
  std::string name = {};        ///< "fused", "torch", ...
  std::string device = {};      ///< "cpu" or the GPU's name
  std::string simd = {};        ///< SIMD target, or the library's own CPU capability
  std::string arithmetic = {};  ///< decides the bits where the SIMD target does not, otherwise ""
  /// Of libraries that compute: {"libtorch": "1.13.1"}.
  std::map<std::string, std::string> versions = {};
};

/// Names of the fused engine's SIMD targets (simd_targets.h) on all processors.
inline constexpr std::array<std::string_view, 12> all_fused_targets{
    "avx512", "avx2", "sse4", "sse2", "neon", "ppc10",
    "ppc9",   "ppc8", "z15",  "z14",  "rvv",  "scalar"};

}  // namespace mnist_dist
