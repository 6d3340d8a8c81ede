#pragma once
#include <nccl.h>

#include <functional>
#include <future>
#include <span>

#include "base/queue.h"
#include "comm/communicator.h"
#include "comm/tree_rounds.h"

namespace mnist_dist {

/// Work beside this thread. The destructor waits for its end, but not long when an exception
/// unwinds: the work may wait for other ranks, which do not have this rank's error yet.
class Parting {
 public:
  Parting() = default;
  ~Parting();
  Parting(const Parting&) = delete;
  Parting& operator=(const Parting&) = delete;
  void begin(std::function<void()> work);

 private:
  std::future<void> done_;
};

/// One NCCL communicator over the ranks of a group, one GPU each.
class NcclLink {
 public:
  /// Collective: rank 0 makes the id, the group carries it to the others.
  NcclLink(Communicator& group, int device, double timeout_seconds);
  ~NcclLink();
  NcclLink(const NcclLink&) = delete;
  NcclLink& operator=(const NcclLink&) = delete;

  /// Enqueues: every rank's `count` floats into `all`, [ranks][count]. `own` is the rank's place in
  /// there.
  void all_gather(const float* own, float* all, std::size_t count, const Queue& queue);
  /// Enqueues: messages to and from other ranks at the same time. Between two ranks, they arrive in
  /// the order of these calls.
  void exchange(std::span<const TreeMessage> messages, const Queue& queue);
  /// Enqueues: values become their sum over all ranks, in an order that NCCL chooses.
  void add(std::span<float> values, const Queue& queue);

  /// Throws: Error (device) when NCCL has failed, or has not responded in time. Ranks that are
  /// silent are named, and the program ended, by the group.
  void watch(double waited_seconds);

 private:
  void check(ncclResult_t result, const char* call);
  /// Gives the communicator up by `how`, on a thread of its own: NCCL waits until recorded steps
  /// that hold its calls are destroyed, which is the calling thread's to do, and until the other
  /// ranks of the host have given it up too.
  void part(void (*how)(ncclComm_t));
  void abort();
  /// As check, for calls that may continue in the background: returns when they have ended.
  void finish(ncclResult_t result, const char* call);

  Communicator& group_;
  int device_;
  double timeout_;
  ncclComm_t comm_ = nullptr;
  Parting parting_;
};

}  // namespace mnist_dist
