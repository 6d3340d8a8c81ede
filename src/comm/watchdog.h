#pragma once
#include <functional>
#include <string>
#include <thread>

#include "comm/local_ranks.h"

namespace mnist_dist {

/// Ends the process with exit code 4 when it lives for more than `seconds`: put one around the MPI
/// calls that have no non-blocking form. The launcher then ends the other ranks.
class Watchdog {
 public:
  /// `complain`: makes the error for stderr when the time is over. After its patience it is found
  /// out again, unless this object has ended by then.
  Watchdog(double seconds, std::function<Complaint()> complain);

 private:
  std::jthread thread_;
};

/// Writes to stderr in one piece, so that lines of several ranks do not mix.
void write_to_stderr(const std::string& text);

}  // namespace mnist_dist
