#pragma once
#include <nccl.h>

#include <span>
#include <string>
#include <thread>

#include "base/queue.h"
#include "comm/communicator.h"

namespace mnist_dist {

/// One NCCL communicator over the ranks of a group, one GPU each.
class NcclLink {
 public:
  /// Collective: rank 0 makes the id, the group carries it to the others.
  NcclLink(Communicator& group, int device, double timeout_seconds);
  ~NcclLink();
  NcclLink(const NcclLink&) = delete;
  NcclLink& operator=(const NcclLink&) = delete;

  /// Enqueues: every rank's `count` floats into `all`, [ranks][count]. `own` is the rank's place in there.
  void all_gather(const float* own, float* all, std::size_t count, const Queue& queue);
  /// Enqueues: values become their sum over all ranks, in an order that NCCL chooses.
  void add(std::span<float> values, const Queue& queue);

  /// Throws Error (device) when NCCL has failed, or has not answered in time; ranks that are silent are named, and the program ended, by the group.
  void watch(double waited_seconds);

 private:
  void check(ncclResult_t result, const char* call);
  /// Gives the communicator up. NCCL then waits for recorded steps that hold its calls to be destroyed, which is the calling thread's to do.
  void abort();
  /// As check, for calls that may go on in the background: returns when they have ended.
  void finish(ncclResult_t result, const char* call);

  Communicator& group_;
  double timeout_;
  ncclComm_t comm_ = nullptr;
  std::jthread aborting_;
};

}  // namespace mnist_dist
