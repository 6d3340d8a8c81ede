#pragma once

namespace mnist_dist {

/// Whether this process may copy out of another one's memory (process_vm_readv), as ranks of one
/// host do for long messages. Containers and hardened kernels often forbid it.
bool can_copy_between_processes();

/// Where they may not, has Open MPI copy through shared memory instead: it would print a line for
/// every message that it cannot copy. Leaves the settings alone that the user has made
/// (OMPI_MCA_..., mpirun --mca). Call it before MPI_Init.
void choose_single_copy();

}  // namespace mnist_dist
