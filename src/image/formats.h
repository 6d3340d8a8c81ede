#pragma once
#include <cstddef>
#include <span>
#include <stdexcept>

#include "image/picture.h"

namespace mnist_dist {

/// The fault of an image's bytes: "damaged: CRC error".
class BadImage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws: BadImage for more than pixel_limit pixels, or none.
void check_picture_size(std::int64_t width, std::int64_t height);

// One per library. Each throws BadImage.
Picture decode_png(std::span<const std::byte> bytes);
Picture decode_jpeg(std::span<const std::byte> bytes);
Picture decode_pgm(std::span<const std::byte> bytes);

}  // namespace mnist_dist
