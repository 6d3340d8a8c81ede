#pragma once
#include <string>

#include "image/picture.h"

namespace mnist_dist {

/// The picture as a PNG file. Throws std::runtime_error: libpng could not write it.
std::string encode_png(const Picture& picture);

}  // namespace mnist_dist
