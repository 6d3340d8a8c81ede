#pragma once

namespace mnist_dist {

/// This process's rank from the launcher's environment, before and after MPI. 0 without a valid
/// one.
int launched_rank();

/// For lines that one rank prints for all. Entry::ranks in cli/app.cpp decides which ranks run a
/// command.
inline bool is_first_rank() { return launched_rank() == 0; }

}  // namespace mnist_dist
