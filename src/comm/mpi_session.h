#pragma once
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi_alarm.h"
#include "comm/mpi_handle.h"
#include "comm/watchdog.h"

namespace mnist_dist {

/// MPI_Init to MPI_Finalize.
class MpiLibrary {
 public:
  MpiLibrary();
  ~MpiLibrary();
  MpiLibrary(const MpiLibrary&) = delete;
  MpiLibrary& operator=(const MpiLibrary&) = delete;
};

/// State that all communicators of a process share. Both ends are collective and end the program
/// with exit code 4 when they take longer than the timeout.
class MpiSession {
 public:
  /// Throws: Error (device) when the launcher started a different number of ranks than MPI sees.
  MpiSession(const Launcher& launcher, double timeout_seconds);
  /// Waits for all ranks.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  Alarm& alarm() { return alarm_; }
  const std::vector<Peer>& peers() const { return peers_; }
  /// To hold during an MPI call that has no non-blocking form.
  Watchdog guard(const std::string& call) const;

 private:
  void wait_for_all_ranks();

  Launcher launcher_;
  double timeout_;
  std::string process_;  ///< "rank 2 (host foo, pid 123)"
  std::optional<Watchdog>
      watchdog_;  ///< while the members below start and end. Declared first to outlive them
  MpiLibrary library_;
  MpiComm alarm_comm_;
  std::vector<Peer> peers_;
  Alarm alarm_;
};

}  // namespace mnist_dist
