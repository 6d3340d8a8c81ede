#pragma once
#include <string>

namespace mnist_dist {

// Where and when a result was made, as run files record it.

/// This process's command line, arguments separated by spaces.
std::string command_line();
std::string host_name();
/// "2025-01-31T12:00:00Z"
std::string utc_now();

}  // namespace mnist_dist
