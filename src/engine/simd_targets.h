#pragma once
// The SIMD targets that are compiled. Include this before Highway. Disabled are targets above
// AVX-512's common part (Highway counts from the best, AVX3 is bit 8), SSSE3, because CPUs with it
// have a better one, and targets above NEON (bits 15 to 27), because their vectors have no fixed
// length.
#define HWY_DISABLED_TARGETS ((HWY_AVX3 - 1) | HWY_SSSE3 | (HWY_NEON - (1LL << 15)))

#include <hwy/targets.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace mnist_dist {

/// The target that every CPU has: plain C++, one number at a time.
inline constexpr char scalar_target[] = "scalar";

/// Highway calls AVX-512 "AVX3", NEON with AES and without by two names, and vectors that it only
/// emulates "EMU128".
inline std::string simd_target_name(std::int64_t target) {
  std::string name = hwy::TargetName(target);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.starts_with("avx3")) return "avx512";
  if (name.starts_with("neon")) return "neon";
  return name == "emu128" ? scalar_target : name;
}

/// Place of a target in Highway's dispatch tables. "" is the best one here.
/// Throws: std::invalid_argument when this CPU or this build does not have it.
inline std::size_t simd_target_index(const std::string& name) {
  for (const std::int64_t candidate : hwy::SupportedAndGeneratedTargets()) {
    if (!name.empty() && simd_target_name(candidate) != name) continue;
    hwy::ChosenTarget chosen;
    chosen.Update(candidate);
    return chosen.GetIndex();
  }
  throw std::invalid_argument("no SIMD target " + name);
}

}  // namespace mnist_dist
