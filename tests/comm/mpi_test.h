#pragma once
#include "comm/communicator.h"

namespace mnist_dist {

/// All ranks of an MPI test program. Every rank runs the same tests in the same order. The program
/// fails on all ranks when a test fails on one.
Communicator& test_world();

}  // namespace mnist_dist
