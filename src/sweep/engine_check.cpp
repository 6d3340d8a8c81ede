#include "sweep/engine_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace mnist_dist {
namespace {

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
    return UnknownEngine{.key = "engine", .got = name, .expected = "fused, torch or torch-cuda"};
  if (fused && std::ranges::find(all_fused_targets, simd) == all_fused_targets.end())
    return UnknownEngine{.key = "simd",
                         .got = simd,
                         .expected = fmt::format("one of {}", fmt::join(all_fused_targets, ", "))};
  if (gpu && !is_compute_capability(simd))
    return UnknownEngine{.key = "simd", .got = simd, .expected = "sm_NN"};
  if (!fused && !gpu && !is_word(simd))
    return UnknownEngine{.key = "simd", .got = simd, .expected = "LibTorch's name of a target"};
  if (gpu ? device.empty() : device != "cpu")
    return UnknownEngine{
        .key = "device", .got = device, .expected = gpu ? "the name of a GPU" : "cpu"};
  return std::nullopt;
}

}  // namespace mnist_dist
