#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist {

// The IDX format of the MNIST files: a big-endian magic number {0, 0, element type, dimensions}, one 32-bit length a dimension, the elements.
// All errors are Error (data) and name the file.

/// What is in a file, unpacked when it is gzipped. Truncated or damaged archives are errors.
std::vector<std::byte> read_unpacked(const std::filesystem::path& path);

/// The pixels [rows][28][28] of an IDX file of images. Not that magic number, another size of image, too few or too many bytes are errors.
std::span<const std::uint8_t> idx_images(std::span<const std::byte> payload, const std::string& file);

/// The labels [rows] of an IDX file of labels. A label above 9 is an error that names its row.
std::span<const std::uint8_t> idx_labels(std::span<const std::byte> payload, const std::string& file);

}  // namespace mnist_dist
