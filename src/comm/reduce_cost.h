#pragma once
#include <cstddef>

namespace mnist_dist {

/// Up to so many ranks gather each other's vectors (TreeGather). More ranks exchange parts of them
/// (TreeExchange). Up to here one all-gather is faster than the rounds of an exchange
/// (docs/performance.md).
inline constexpr int most_gathering_ranks = 8;

/// Cost of one tree all-reduce for one rank.
struct ReduceCost {
  std::size_t messages = 0;   ///< sent
  std::size_t floats = 0;     ///< sent
  std::size_t additions = 0;  ///< after those within its own nodes
};

}  // namespace mnist_dist
