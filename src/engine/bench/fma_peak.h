#pragma once
#include <string>

namespace mnist_dist {

/// Peak rate of this core.
struct FmaPeak {
  std::string simd;  ///< the SIMD target it was measured with, by the name that --simd has for it
  double gflops;     ///< single precision, a multiply-add counts as two
};

/// Runs nothing but independent multiply-adds on registers for about 20 ms, on the calling thread.
/// `simd` is a target that an engine can be forced to, or "" for the best one here.
FmaPeak measure_fma_peak(const std::string& simd = "");

}  // namespace mnist_dist
