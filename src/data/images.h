#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

/// Consecutive rows of a data set.
struct Images {
  std::vector<std::uint8_t> pixels;  ///< [rows][side][side]
  std::vector<ClassIndex> labels;    ///< [rows]
  int first_row = 0;                 ///< of the whole set. Keys the random draws
  int side = image_side;
  std::size_t image_pixels() const { return static_cast<std::size_t>(side * side); }
  int count() const { return static_cast<int>(labels.size()); }
  const std::uint8_t* image(int index) const {
    return pixels.data() + static_cast<std::size_t>(index) * image_pixels();
  }
};

}  // namespace mnist_dist
