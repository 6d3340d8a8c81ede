#pragma once
#include <functional>
#include <string>

namespace mnist_dist {

/// Lines for the person who waits: what is being done, and how far it is.
using Progress = std::function<void(const std::string& line)>;

}  // namespace mnist_dist
