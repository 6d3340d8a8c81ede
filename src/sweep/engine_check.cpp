#include "sweep/engine_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace mnist_dist {
namespace {

/// Highway's targets (engine/simd_targets.h) on all processors, not only on this one.
constexpr std::array<std::string_view, 12> fused_targets{"avx512", "avx2",  "sse4", "sse2",
                                                         "neon",   "ppc10", "ppc9", "ppc8",
                                                         "z15",    "z14",   "rvv",  "scalar"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_compute_capability(std::string_view text) {
  return text.starts_with("sm_") && text.size() >= 5 && text.size() <= 6 &&
         std::ranges::all_of(text.substr(3), is_digit);
}

/// LibTorch's own name of its target, such as AVX2.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 20 &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace

std::optional<UnknownEngine> unknown_engine(const EngineInfo& engine) {
  const std::string &name = engine.name, &simd = engine.simd, &device = engine.device;
  const bool fused = name == "fused", gpu = name == "torch-cuda";
  if (!fused && !gpu && name != "torch")
    return UnknownEngine{"engine", name, "fused, torch or torch-cuda"};
  if (fused && std::ranges::find(fused_targets, simd) == fused_targets.end())
    return UnknownEngine{"simd", simd, fmt::format("one of {}", fmt::join(fused_targets, ", "))};
  if (gpu && !is_compute_capability(simd)) return UnknownEngine{"simd", simd, "sm_NN"};
  if (!fused && !gpu && !is_word(simd))
    return UnknownEngine{"simd", simd, "LibTorch's name of a target"};
  if (gpu ? device.empty() : device != "cpu")
    return UnknownEngine{"device", device, gpu ? "the name of a GPU" : "cpu"};
  return std::nullopt;
}

}  // namespace mnist_dist
