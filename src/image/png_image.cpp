#include <fmt/format.h>
#include <png.h>

#include "image/formats.h"

namespace mnist_dist {
namespace {

/// Frees libpng's memory.
struct Reader {
  png_image image{};
  Reader() { image.version = PNG_IMAGE_VERSION; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { ::png_image_free(&image); }
  BadImage damaged() const { return BadImage(fmt::format("damaged PNG: {}", image.message)); }
};

/// White behind dark ink, black behind light ink: a drawing without background must stand out.
int background_of(std::span<const std::uint8_t> grey_alpha) {
  double light = 0, opaque = 0;
  for (std::size_t i = 0; i < grey_alpha.size(); i += 2) {
    light += grey_alpha[i] * grey_alpha[i + 1];
    opaque += grey_alpha[i + 1];
  }
  return light < 128 * opaque ? 255 : 0;
}

}  // namespace

Picture decode_png(std::span<const std::byte> bytes) {
  Reader reader;
  png_image& image = reader.image;
  if (!::png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    throw reader.damaged();
  check_picture_size(image.width, image.height);
  image.format = PNG_FORMAT_GA;
  std::vector<std::uint8_t> pixels(std::size_t{2} * image.width * image.height);
  if (!::png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) throw reader.damaged();

  Picture picture{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  picture.grey.reserve(pixels.size() / 2);
  const int background = background_of(pixels);
  for (std::size_t i = 0; i < pixels.size(); i += 2) {
    const int alpha = pixels[i + 1];
    picture.grey.push_back(
        static_cast<std::uint8_t>((pixels[i] * alpha + background * (255 - alpha) + 127) / 255));
  }
  return picture;
}

}  // namespace mnist_dist
