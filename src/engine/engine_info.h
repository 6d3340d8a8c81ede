#pragma once
#include <map>
#include <string>

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

}  // namespace mnist_dist
