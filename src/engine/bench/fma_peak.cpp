#include "engine/bench/fma_peak.h"

#include <chrono>
#include <cmath>
#include <iterator>
#include <numeric>

// Compiled once per SIMD target. The requested one is called.
#include "engine/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/bench/fma_peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Two pipes of latency 4 or 5 need 10 chains to be always busy. 12 still fit into 16 registers.
/// Returns the FLOPs done.
double fma_chains(int rounds, float seed, float& result) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f), term = hn::Set(d, 0.001f);
  // Each from a different number: equal chains would be computed once.
  const auto start = [&](int chain) { return hn::Set(d, seed + static_cast<float>(chain)); };
  auto a0 = start(0), a1 = start(1), a2 = start(2), a3 = start(3), a4 = start(4), a5 = start(5);
  auto a6 = start(6), a7 = start(7), a8 = start(8), a9 = start(9), a10 = start(10), a11 = start(11);
  for (int i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, factor, term), a1 = hn::MulAdd(a1, factor, term),
    a2 = hn::MulAdd(a2, factor, term), a3 = hn::MulAdd(a3, factor, term);
    a4 = hn::MulAdd(a4, factor, term), a5 = hn::MulAdd(a5, factor, term),
    a6 = hn::MulAdd(a6, factor, term), a7 = hn::MulAdd(a7, factor, term);
    a8 = hn::MulAdd(a8, factor, term), a9 = hn::MulAdd(a9, factor, term),
    a10 = hn::MulAdd(a10, factor, term), a11 = hn::MulAdd(a11, factor, term);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)));
  result =
      hn::GetLane(hn::SumOfLanes(d, hn::Add(sum, hn::Add(hn::Add(a8, a9), hn::Add(a10, a11)))));
  return 2.0 * 12 * static_cast<double>(hn::Lanes(d)) * rounds;
}

}  // namespace mnist_dist::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist {

HWY_EXPORT(fma_chains);

namespace {

/// As the scalar target does it: a function call per multiply-add where the baseline has no
/// instruction.
double scalar_fma_chains(int rounds, float seed, float& result) {
  float chain[12];
  for (int i = 0; i < 12; ++i) chain[i] = seed + static_cast<float>(i);
  for (int round = 0; round < rounds; ++round)
    for (float& value : chain) value = std::fma(value, 0.999f, 0.001f);
  result = std::accumulate(std::begin(chain), std::end(chain), 0.0f);
  return 2.0 * 12 * rounds;
}

}  // namespace

FmaPeak measure_fma_peak(const std::string& simd) {
  const auto chains = simd == scalar_target
                          ? scalar_fma_chains
                          : HWY_DISPATCH_TABLE(fma_chains)[simd_target_index(simd)];
  using Clock = std::chrono::steady_clock;
  double flops = 0, seconds = 0;
  volatile float seed = 1,
                 sink = 0;  // values that the compiler cannot compute and results that it must keep
  const auto begin = Clock::now();
  while (seconds < 0.02) {
    float result = 0;
    flops += chains(100000, seed, result);
    sink = result;
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  static_cast<void>(sink);
  return {simd.empty() ? simd_target_name(hwy::SupportedAndGeneratedTargets().front()) : simd,
          flops / seconds * 1e-9};
}

}  // namespace mnist_dist
#endif
