#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace mnist_dist {

/// A grey image as a PNG in a data URI, for <img src>. `pixels` is [side][side].
std::string png_data_uri(std::span<const std::uint8_t> pixels, int side);

}  // namespace mnist_dist
