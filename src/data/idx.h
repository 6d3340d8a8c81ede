#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mnist_dist {

// The IDX format of the MNIST files: a big-endian magic number {0, 0, element type, dimensions},
// one 32-bit length per dimension, the elements. All errors are Error (data) and name the file.

/// Throws unless the first bytes of a file are those of an IDX file of any kind. The message names
/// the real kind.
void check_is_idx(std::span<const std::byte> head, const std::string& file);

/// The pixels [rows][28][28] of an IDX file of images. A different magic number, a different
/// size of image, too few or too many bytes are errors.
std::span<const std::uint8_t> idx_images(std::span<const std::byte> payload,
                                         const std::string& file);

/// The labels [rows] of an IDX file of labels. A label above 9 is an error that names its row.
std::span<const std::uint8_t> idx_labels(std::span<const std::byte> payload,
                                         const std::string& file);

}  // namespace mnist_dist
