#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "data/images.h"

namespace mnist_dist {

/// Contents of a prepared file.
struct DatasetContents {
  Images train, test;
  std::string source;
  bool synthetic = false;
  std::map<std::string, std::string>
      payload_sha256;              ///< by file name, hexadecimal. Empty for synthetic digits
  std::uint64_t shuffle_seed = 0;  ///< with which the training rows were shuffled
  int classes = class_count;
  std::string name =
      {};  ///< "" for MNIST and drawn digits: neither this nor `classes` is recorded then
};

/// Writes the file that Dataset reads, atomically. Mean and SD of the training pixels / 255, to
/// four decimals, go into it for normalisation by engines: 0.1307 and 0.3081 for MNIST.
/// Throws: Error (data).
void write_dataset(const std::filesystem::path& path, const DatasetContents& contents);

/// SHA-256 of each chunk of rows, 32 bytes per chunk: over the chunk's pixels, then its labels.
/// `classes`: of the whole set. Decides how labels are stored.
std::vector<std::uint8_t> chunk_table(const Images& images, int classes = class_count);

/// Whether labels are stored as uint8, otherwise as uint16.
constexpr bool labels_are_bytes(int classes) { return classes <= 256; }

/// SHA-256 over the two chunk tables, training first: the data hash, hexadecimal.
std::string dataset_hash(std::span<const std::uint8_t> train_table,
                         std::span<const std::uint8_t> test_table);

}  // namespace mnist_dist
