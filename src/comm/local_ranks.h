#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace mnist_dist {

/// A rank of this job on this host, as the system sees its process.
struct LocalRank {
  int rank = 0;
  int pid = 0;
  bool stopped = false;  ///< by SIGSTOP, a terminal or a debugger
};

/// The ranks of this process's job on this host, by rank. Needs no MPI: a rank is a process of the
/// same job whose environment has a rank. `processes`: /proc, or a test's copy. Never throws.
std::vector<LocalRank> local_ranks(const std::filesystem::path& processes = "/proc");

/// Why the ranks on this host that are not stopped wait in `call`.
struct Complaint {
  Error error;          ///< device
  double patience = 0;  ///< seconds to wait before printing: another rank may have more details
};
/// `process`: this process as text, such as "rank 0 (host a, pid 12)". `launcher`: its launcher.
Complaint complain(const std::vector<LocalRank>& ranks, const Launcher& launcher,
                   const std::string& process, const std::string& host, const std::string& call,
                   double timeout_seconds);

}  // namespace mnist_dist
