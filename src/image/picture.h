#pragma once
#include <cstdint>
#include <vector>

namespace mnist_dist {

/// A grey picture: [height][width], 0 black to 255 white.
struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> grey;
};

}  // namespace mnist_dist
