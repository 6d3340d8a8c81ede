#pragma once

namespace mnist_dist {

/// This process's rank from the launcher's environment, before and after MPI. 0 without a valid
/// one.
int launched_rank();

/// For commands that do not use several ranks: only rank 0 works and prints.
inline bool is_first_rank() { return launched_rank() == 0; }

}  // namespace mnist_dist
