#pragma once
#include <string>
#include <thread>

namespace mnist_dist {

/// Ends the process with exit code 4 when it lives for more than `seconds`: put one around the MPI calls that have no non-blocking form. The launcher
/// then ends the other ranks.
class Watchdog {
 public:
  /// `complaint`: the two lines to print then, on stderr.
  Watchdog(double seconds, std::string complaint);

 private:
  std::jthread thread_;
};

/// Writes to stderr in one piece, so that lines of several ranks do not mix.
void write_to_stderr(const std::string& text);

}  // namespace mnist_dist
