#include "events/records.h"

#include <boost/crc.hpp>

namespace mnist_dist {
namespace {

constexpr std::size_t length_bytes = 8, crc_bytes = 4;

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

/// Masked, because a CRC of bytes that contain their own CRC is weak.
std::string masked_crc(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc32c;
  crc32c.process_bytes(bytes.data(), bytes.size());
  const std::uint32_t crc = crc32c.checksum();
  constexpr std::uint32_t delta = 0xa282ead8;
  return little_endian(((crc >> 15) | (crc << 17)) + delta, crc_bytes);
}

}  // namespace

std::string framed(std::string_view bytes) {
  const std::string length = little_endian(bytes.size(), length_bytes);
  return length + masked_crc(length) + std::string(bytes) + masked_crc(bytes);
}

std::vector<std::string> whole_records(std::string_view file) {
  std::vector<std::string> records;
  constexpr std::size_t head = length_bytes + crc_bytes;
  while (file.size() >= head) {
    const std::string_view length = file.substr(0, length_bytes);
    if (file.substr(length_bytes, crc_bytes) != masked_crc(length)) break;
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
      size |= std::uint64_t{static_cast<unsigned char>(length[i])} << (8 * i);
    if (size > file.size() - head || file.size() - head - size < crc_bytes) break;
    const std::string_view bytes = file.substr(head, size);
    if (file.substr(head + size, crc_bytes) != masked_crc(bytes)) break;
    records.emplace_back(bytes);
    file.remove_prefix(head + size + crc_bytes);
  }
  return records;
}

}  // namespace mnist_dist
