#pragma once
#include <string>

namespace mnist_dist {

/// What this core can do at most.
struct FmaPeak {
  std::string simd;  ///< the SIMD target it was measured with, the best one here
  double gflops;     ///< single precision, a multiply-add counts as two
};

/// Runs nothing but independent multiply-adds on registers for about 20 ms, on the calling thread.
FmaPeak measure_fma_peak();

}  // namespace mnist_dist
