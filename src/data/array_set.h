#pragma once
#include <filesystem>
#include <optional>

#include "data/raw_set.h"

namespace mnist_dist {

/// A file of arrays: its training images, and test images if it has them.
struct ArraySets {
  RawSet train;
  std::optional<RawSet> test;
};

/// Reads an .npz or HDF5 file, distinguished by their contents. Images are uint8 [rows, height,
/// width], with or without an axis of one channel. Labels are whole numbers [rows] or [rows, 1].
/// The arrays are called x_train, y_train, x_test and y_test (as Keras names them), train_images,
/// train_labels, test_images and test_labels, the same with a slash in place of the underscore, or
/// images and labels where there is one set.
/// Throws: Error (data) that names the file and the array.
ArraySets read_array_sets(const std::filesystem::path& file);

}  // namespace mnist_dist
