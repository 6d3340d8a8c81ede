#pragma once
#include <string>

namespace mnist_dist {

/// "Open MPI v4.1.4": the MPI library that is loaded. Works without MPI_Init.
std::string mpi_library_version();

}  // namespace mnist_dist
