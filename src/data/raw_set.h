#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/images.h"

namespace mnist_dist {

/// Images and labels as a file of another program holds them, before any check of the labels.
struct RawSet {
  std::string file;                  ///< named in messages: that of the labels
  std::vector<std::uint8_t> pixels;  ///< [rows][height][width]
  std::size_t rows = 0;
  int height = 0, width = 0;
  std::vector<std::int64_t> labels;  ///< [rows]
};

/// Throws: Error (data) unless height and width are 1 to image_side_limit.
void check_image_shape(const std::string& file, std::size_t height, std::size_t width);

/// One more than the largest label: at least 2.
/// Throws: Error (data) that names the row of a label below 0 or from class_limit on, or that there
/// are no rows, or different numbers of images and labels.
int classes_in(const RawSet& set);

/// Square images: others get a margin of zeros, equal on both sides.
/// Throws: Error (data) for a label from `classes` on.
Images as_images(RawSet set, int classes);

/// Exchanges rows and columns of each image: EMNIST stores them the other way around.
void transpose(RawSet& set);

}  // namespace mnist_dist
