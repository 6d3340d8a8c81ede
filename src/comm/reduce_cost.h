#pragma once
#include <cstddef>

namespace mnist_dist {

/// Cost of one tree all-reduce for one rank.
struct ReduceCost {
  std::size_t messages = 0;   ///< sent
  std::size_t floats = 0;     ///< sent
  std::size_t additions = 0;  ///< after those within its own nodes
};

}  // namespace mnist_dist
