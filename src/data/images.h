#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

/// Consecutive rows of a data set.
struct Images {
  std::vector<std::uint8_t> pixels;  ///< [rows][28][28]
  std::vector<std::uint8_t> labels;  ///< [rows], 0..9
  int first_row = 0;                 ///< of the whole set; keys the random draws
  int count() const { return static_cast<int>(labels.size()); }
  const std::uint8_t* image(int index) const { return pixels.data() + static_cast<std::size_t>(index) * image_size; }
};

}  // namespace mnist_dist
