#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist {

/// A picture to draw on: `width` x `height` pixels, [height][width][red, green, blue].
struct Canvas {
  int width, height;
  std::vector<std::uint8_t> rgb;
  Canvas(int width, int height, std::uint8_t grey);

  struct Color {
    std::uint8_t red, green, blue;
  };
  /// Parts outside are cut.
  void fill(int x, int y, int w, int h, Color color);
  /// A grey image, [side][side], each pixel as `scale` x `scale`.
  void grey(int x, int y, std::span<const std::uint8_t> pixels, int side, int scale);
  /// Digits, '.', '%' and '>' of 3 x 5 dots, each dot as `scale` x `scale`. 4 dots from one to the
  /// next. Other characters are blank.
  void text(int x, int y, const std::string& text, int scale, Color color);
};

/// As a PNG file.
std::string png_file(const Canvas& canvas);

/// A grey image as a PNG in a data URI, for <img src>. `pixels` is [side][side].
std::string png_data_uri(std::span<const std::uint8_t> pixels, int side);

}  // namespace mnist_dist
