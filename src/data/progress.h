#pragma once
#include <functional>
#include <string>

namespace mnist_dist {

/// Receives lines about the current work and its progress.
using Progress = std::function<void(const std::string& line)>;

}  // namespace mnist_dist
