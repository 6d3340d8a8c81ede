#pragma once
#include <nccl.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>

#include "comm/communicator.h"

namespace mnist_dist {

/// NCCL on hosts: its functions, between ranks of a test under mpirun, in host memory. Linked into
/// a test they take the place of the library's.
struct FakeNccl {
  int polls_until_ready = 3;  ///< of ncclCommGetAsyncError, after each call that continues in the
                              ///< background. If negative, it never ends
  ncclResult_t next_call = ncclSuccess;   ///< what the next collective returns instead of working
  ncclResult_t background = ncclSuccess;  ///< what ncclCommGetAsyncError says once ready
  bool waits_for_others = false;  ///< ncclCommDestroy, which ends only when they call it too

  Communicator* group = nullptr;  ///< consecutive ranks that use it. nullptr: all of test_world()

  // Recorded calls.
  std::string id = {};  ///< that the communicator was made with
  int rank = -1, ranks = 0, device = -1;
  int calls = 0;              ///< collectives, and groups of messages
  int messages = 0;           ///< sent or received in groups
  bool called_early = false;  ///< a call came while an earlier one was still under way
  std::shared_ptr<std::atomic<bool>> destroyed =
      std::make_shared<std::atomic<bool>>(false);  ///< from a thread of its own, as the next
  std::shared_ptr<std::latch> others =
      std::make_shared<std::latch>(1);  ///< have called ncclCommDestroy
  std::shared_ptr<std::atomic<bool>> aborted =
      std::make_shared<std::atomic<bool>>(false);  ///< from a thread of its own
};

/// The one that the functions use. A test sets it up again.
FakeNccl& fake_nccl();

}  // namespace mnist_dist
