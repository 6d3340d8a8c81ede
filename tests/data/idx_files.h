#pragma once
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist {

/// An IDX file's bytes: magic number, dimensions, elements.
inline std::string idx_bytes(std::uint32_t magic, const std::vector<std::uint32_t>& dimensions,
                             const std::string& elements) {
  std::string bytes;
  const auto add = [&](std::uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xff);
  };
  add(magic);
  for (const std::uint32_t dimension : dimensions) add(dimension);
  return bytes + elements;
}

inline std::string image_idx(int rows, char value = 7) {
  return idx_bytes(0x803, {static_cast<std::uint32_t>(rows), 28, 28},
                   std::string(static_cast<std::size_t>(rows) * 784, value));
}
inline std::string label_idx(const std::string& labels) {
  return idx_bytes(0x801, {static_cast<std::uint32_t>(labels.size())}, labels);
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

inline void write_gzip(const std::filesystem::path& path, const std::string& bytes) {
  gzFile file = ::gzopen(path.c_str(), "wb");
  ::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  ::gzclose(file);
}

}  // namespace mnist_dist
