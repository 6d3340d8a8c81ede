#include "report/png.h"

#include <openssl/evp.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

namespace mnist_dist {
namespace {

std::string encoded(int width, int height, png_uint_32 format, const std::uint8_t* pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = format;
  png_alloc_size_t size = 0;
  std::string file;
  if (::png_image_write_get_memory_size(image, size, 0, pixels, 0, nullptr)) {
    file.resize(size);
    if (::png_image_write_to_memory(&image, file.data(), &size, 0, pixels, 0, nullptr)) return file;
  }
  throw std::bad_alloc();  // nothing else can fail in memory
}

/// Rows of a glyph from the top, three dots each: '#' is ink.
struct Glyph {
  char name;
  std::string_view dots;
};
constexpr std::array<Glyph, 13> glyphs{{{'0', "####.##.##.####"},
                                        {'1', ".#.##..#..#.###"},
                                        {'2', "##...#.#.#..###"},
                                        {'3', "##...#.#...###."},
                                        {'4', "#.##.####..#..#"},
                                        {'5', "####..##...###."},
                                        {'6', ".###..####.####"},
                                        {'7', "###..#.#..#..#."},
                                        {'8', "####.#####.####"},
                                        {'9', "####.####..###."},
                                        {'.', ".............#."},
                                        {'%', "#.#..#.#.#..#.#"},
                                        {'>', "#...#...#.#.#.."}}};

}  // namespace

Canvas::Canvas(int w, int h, std::uint8_t grey)
    : width(w), height(h), rgb(std::size_t{3} * static_cast<std::size_t>(w * h), grey) {}

void Canvas::fill(int x, int y, int w, int h, Color color) {
  for (int row = std::max(y, 0); row < std::min(y + h, height); ++row)
    for (int column = std::max(x, 0); column < std::min(x + w, width); ++column) {
      std::uint8_t* pixel = &rgb[std::size_t{3} * static_cast<std::size_t>(row * width + column)];
      pixel[0] = color.red;
      pixel[1] = color.green;
      pixel[2] = color.blue;
    }
}

void Canvas::grey(int x, int y, std::span<const std::uint8_t> pixels, int side, int scale) {
  for (int row = 0; row < side; ++row)
    for (int column = 0; column < side; ++column) {
      const std::uint8_t value = pixels[static_cast<std::size_t>(row * side + column)];
      fill(x + column * scale, y + row * scale, scale, scale, {value, value, value});
    }
}

void Canvas::text(int x, int y, const std::string& characters, int scale, Color color) {
  for (const char character : characters) {
    for (const Glyph& glyph : glyphs)
      for (int dot = 0; glyph.name == character && dot < 15; ++dot)
        if (glyph.dots[static_cast<std::size_t>(dot)] == '#')
          fill(x + dot % 3 * scale, y + dot / 3 * scale, scale, scale, color);
    x += 4 * scale;
  }
}

std::string png_file(const Canvas& canvas) {
  return encoded(canvas.width, canvas.height, PNG_FORMAT_RGB, canvas.rgb.data());
}

std::string png_data_uri(std::span<const std::uint8_t> pixels, int side) {
  const std::string png = encoded(side, side, PNG_FORMAT_GRAY, pixels.data());
  std::string base64((png.size() + 2) / 3 * 4 + 1, '\0');
  const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                     reinterpret_cast<const unsigned char*>(png.data()),
                                     static_cast<int>(png.size()));
  base64.resize(static_cast<std::size_t>(size));
  return "data:image/png;base64," + base64;
}

}  // namespace mnist_dist
