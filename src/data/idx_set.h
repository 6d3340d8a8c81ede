#pragma once
#include <string>

#include "data/raw_set.h"

namespace mnist_dist {

/// Images and labels of two IDX files, gzipped or not. Images are bytes [rows][height][width],
/// labels are bytes or 32-bit integers [rows]. Of labels [rows][columns], as QMNIST has them, the
/// first column counts.
struct IdxSet {
  RawSet set;
  std::string images_sha256, labels_sha256;  ///< of the unpacked payloads, hexadecimal
};

/// Throws: Error (data) that names the file.
IdxSet read_idx_set(const std::filesystem::path& images, const std::filesystem::path& labels);

}  // namespace mnist_dist
