#pragma once
#include <memory>

#include "comm/communicator.h"

namespace mnist_dist {

/// How flat vectors in the memory of GPUs travel between ranks.
struct DeviceCommOptions {
  std::string transport = "auto";  ///< auto (NCCL with several ranks), nccl, mpi
  std::string reduce = "exact";    ///< exact (the fixed tree, the same bits for any number of
                                   ///< ranks) or fast (NCCL's own all-reduce)
  double timeout = 120;            ///< seconds
};

/// True when tree_all_reduce only enqueues, so that a step which contains it can be recorded: MPI
/// waits on the host instead.
inline bool reduces_on_device(const Communicator& group, const DeviceCommOptions& options) {
  return options.transport != "mpi" || group.size() == 1;
}

/// `group` for ranks whose flat vectors lie on GPUs, everything else as in `group`, which it refers
/// to. The queue's device is this rank's. Collective. Throws Error (device) when NCCL cannot start,
/// and ends the program with exit code 4, naming silent ranks, when it does not answer.
std::unique_ptr<Communicator> make_device_communicator(Communicator& group, const Queue& queue,
                                                       const DeviceCommOptions& options);

}  // namespace mnist_dist
