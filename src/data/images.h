#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

/// Consecutive rows of a data set.
template <class Pixels, class Labels>
struct BasicImages {
  Pixels pixels;      ///< [rows][side][side]
  Labels labels;      ///< [rows]
  int first_row = 0;  ///< of the whole set. Keys the random draws
  int side = image_side;
  std::size_t image_pixels() const { return static_cast<std::size_t>(side * side); }
  int count() const { return static_cast<int>(labels.size()); }
  const std::uint8_t* image(int index) const {
    return pixels.data() + static_cast<std::size_t>(index) * image_pixels();
  }
};
using Images = BasicImages<std::vector<std::uint8_t>, std::vector<ClassIndex>>;
/// Rows whose memory belongs to something else.
using ImagesView = BasicImages<std::span<const std::uint8_t>, std::span<const ClassIndex>>;

inline ImagesView view(const Images& images) {
  return {images.pixels, images.labels, images.first_row, images.side};
}
inline std::vector<ImagesView> views(std::span<const Images> parts) {
  std::vector<ImagesView> all;
  for (const Images& images : parts) all.push_back(view(images));
  return all;
}

}  // namespace mnist_dist
