#pragma once
#include <memory>

#include "comm/communicator.h"

namespace mnist_dist {

/// How flat vectors in the memory of GPUs travel between ranks.
struct DeviceCommOptions {
  std::string transport = "auto";  ///< auto (NCCL with several ranks), nccl, mpi
  std::string reduce = "exact";    ///< exact (the fixed tree, the same bits for any number of
                                   ///< ranks) or fast (NCCL's own all-reduce)
  double timeout = 120;            ///< seconds. In a run, comm.timeout of the recipe
};

/// True when tree_all_reduce only enqueues, so that a step which contains it can be recorded: MPI
/// waits on the host instead.
inline bool reduces_on_device(const Communicator& group, const DeviceCommOptions& options) {
  return options.transport != "mpi" || group.size() == 1;
}

/// The sums of `group`, which it refers to, for ranks whose flat vectors lie on GPUs. `device` is
/// this rank's.
/// Collective.
/// Throws: Error (device) when NCCL cannot start, and ends the program with exit code 4, naming
/// silent ranks, when it does not respond.
std::unique_ptr<Reducer> make_device_reducer(Communicator& group, int device,
                                             const DeviceCommOptions& options);

/// make_device_reducer of the library that is opened for GPUs: the program itself does not wait for
/// CUDA to load.
inline constexpr char device_comm_library_entry[] = "mnist_dist_device_comm_library";
using DeviceCommLibraryEntry = decltype(make_device_reducer)* (*)();

}  // namespace mnist_dist
