#pragma once
#include <string>

namespace mnist_dist {

/// This process's command line, arguments separated by spaces, for records.
std::string command_line();

}  // namespace mnist_dist
