#pragma once
#include <fmt/format.h>

#include <string>

namespace mnist_dist {

/// "1:23" or "1:02:03".
inline std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
                   : fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace mnist_dist
