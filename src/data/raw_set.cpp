#include "data/raw_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace mnist_dist {
namespace {

constexpr const char* label_hint = "number the classes 0, 1, 2, ... in the file";

}  // namespace

void check_image_shape(const std::string& file, std::size_t height, std::size_t width) {
  const auto fits = [](std::size_t side) { return side >= 1 && side <= image_side_limit; };
  if (!fits(height) || !fits(width))
    throw data_error(fmt::format("{}: images of {}x{} pixels (expected at most {}x{})", file,
                                 height, width, image_side_limit, image_side_limit),
                     fmt::format("shrink them to at most {0}x{0} pixels", image_side_limit));
}

int classes_in(const RawSet& set) {
  if (set.rows == 0)
    throw data_error(fmt::format("{}: no images", set.file), "name a file with images");
  if (set.labels.size() != set.rows)
    throw data_error(fmt::format("{}: {} labels (expected {}, one per image)", set.file,
                                 set.labels.size(), set.rows),
                     "give images and labels of the same rows");
  std::int64_t largest = 1;
  for (std::size_t row = 0; row < set.rows; ++row) {
    const std::int64_t label = set.labels[row];
    if (label < 0 || label >= class_limit)
      throw data_error(fmt::format("{}: label {} in row {} (expected 0 to {})", set.file, label,
                                   row, class_limit - 1),
                       label < 0 ? label_hint
                                 : fmt::format("number at most {} classes 0, 1, 2, ... in the file",
                                               class_limit));
    largest = std::max(largest, label);
  }
  return static_cast<int>(largest) + 1;
}

Images as_images(RawSet set, int classes) {
  Images images;
  images.side = std::max(set.height, set.width);
  images.labels.reserve(set.rows);
  for (std::size_t row = 0; row < set.rows; ++row) {
    if (set.labels[row] >= classes)
      throw data_error(
          fmt::format("{}: label {} in row {} (expected 0 to {}, as in the training images)",
                      set.file, set.labels[row], row, classes - 1),
          label_hint);
    images.labels.push_back(static_cast<ClassIndex>(set.labels[row]));
  }
  if (set.height == set.width) {
    images.pixels = std::move(set.pixels);
    return images;
  }
  const auto height = static_cast<std::size_t>(set.height),
             width = static_cast<std::size_t>(set.width);
  const auto side = static_cast<std::size_t>(images.side);
  const std::size_t top = (side - height) / 2, left = (side - width) / 2;
  images.pixels.assign(set.rows * side * side, 0);
  for (std::size_t row = 0; row < set.rows; ++row)
    for (std::size_t y = 0; y < height; ++y)
      std::copy_n(set.pixels.data() + (row * height + y) * width, width,
                  images.pixels.data() + (row * side + top + y) * side + left);
  return images;
}

void transpose(RawSet& set) {
  const auto height = static_cast<std::size_t>(set.height),
             width = static_cast<std::size_t>(set.width);
  std::vector<std::uint8_t> image(height * width);
  for (std::size_t row = 0; row < set.rows; ++row) {
    std::uint8_t* const pixels = set.pixels.data() + row * image.size();
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) image[x * height + y] = pixels[y * width + x];
    std::ranges::copy(image, pixels);
  }
  std::swap(set.height, set.width);
}

}  // namespace mnist_dist
