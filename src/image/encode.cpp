#include "image/encode.h"

#include <png.h>

#include <stdexcept>

namespace mnist_dist {

std::string encode_png(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string out(size, '\0');
  const bool written = ::png_image_write_to_memory(&image, out.data(), &size, 0,
                                                   picture.grey.data(), 0, nullptr) != 0;
  if (!written) throw std::runtime_error(std::string("PNG: ") + image.message);
  out.resize(size);
  return out;
}

}  // namespace mnist_dist
