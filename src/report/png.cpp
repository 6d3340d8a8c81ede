#include "report/png.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

namespace mnist_dist {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put_u32(Bytes& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// Length, type, data, CRC of type and data (PNG specification, section 5.3).
void put_chunk(Bytes& out, const char (&type)[5], const Bytes& data) {
  put_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.insert(out.end(), type, type + 4);
  out.insert(out.end(), data.begin(), data.end());
  put_u32(out, static_cast<std::uint32_t>(::crc32(0, out.data() + start, static_cast<uInt>(out.size() - start))));
}

Bytes compressed(const Bytes& raw) {
  uLongf size = ::compressBound(raw.size());
  Bytes out(size);
  ::compress2(out.data(), &size, raw.data(), raw.size(), Z_BEST_COMPRESSION);  // cannot fail: the room is compressBound's
  out.resize(size);
  return out;
}

}  // namespace

std::string png_data_uri(std::span<const std::uint8_t> pixels, int side) {
  const auto width = static_cast<std::size_t>(side);
  Bytes png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, header;
  Bytes rows(width * (width + 1));  // each row begins with 0: no filter
  put_u32(header, static_cast<std::uint32_t>(side));
  put_u32(header, static_cast<std::uint32_t>(side));
  header.insert(header.end(), {8, 0, 0, 0, 0});  // 8 bits, grey, deflate, no interlace
  for (std::size_t row = 0; row < width; ++row) std::copy_n(pixels.begin() + row * width, width, rows.begin() + row * (width + 1) + 1);
  put_chunk(png, "IHDR", header);
  put_chunk(png, "IDAT", compressed(rows));
  put_chunk(png, "IEND", {});
  std::string base64((png.size() + 2) / 3 * 4 + 1, '\0');
  base64.resize(
      static_cast<std::size_t>(::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), png.data(), static_cast<int>(png.size()))));
  return "data:image/png;base64," + base64;
}

}  // namespace mnist_dist
