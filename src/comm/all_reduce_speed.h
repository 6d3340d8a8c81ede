#pragma once
#include "comm/communicator.h"

namespace mnist_dist {

/// How fast the step's one collective is between these ranks.
struct AllReduceSpeed {
  int ranks = 0, hosts = 0;
  std::size_t bytes = 0;  ///< a vector's
  int calls = 0;
  double median_seconds = 0;
};

/// Adds vectors of a training step's size for about `seconds`, and checks the sums.
/// Collective.
/// Throws: Error (device) when a sum is wrong.
AllReduceSpeed measure_all_reduce(Communicator& comm, double seconds);

}  // namespace mnist_dist
