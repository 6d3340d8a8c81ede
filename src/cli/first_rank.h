#pragma once

namespace mnist_dist {

/// This process's rank as the launcher's environment tells it, before MPI and after; 0 where it
/// tells nothing that makes sense.
int launched_rank();

/// For commands that ranks do not share: of several the first alone works and speaks, the others
/// leave.
inline bool is_first_rank() { return launched_rank() == 0; }

}  // namespace mnist_dist
