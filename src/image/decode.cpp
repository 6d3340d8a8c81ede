#include "image/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "image/formats.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* hint = "give a PNG, JPEG or PGM image of one digit";
constexpr std::size_t byte_limit = std::size_t{256} << 20;

bool begins(std::span<const std::byte> bytes, std::string_view with) {
  return bytes.size() >= with.size() && std::memcmp(bytes.data(), with.data(), with.size()) == 0;
}

bool is_pgm(std::span<const std::byte> bytes) {
  return begins(bytes, "P1") || begins(bytes, "P2") || begins(bytes, "P4") || begins(bytes, "P5");
}

Picture decode(std::span<const std::byte> bytes) {
  if (bytes.empty()) throw BadImage("empty (got 0 bytes)");
  if (begins(bytes, "\x89PNG\r\n\x1a\n")) return decode_png(bytes);
  if (begins(bytes, "\xff\xd8\xff")) return decode_jpeg(bytes);
  if (is_pgm(bytes)) return decode_pgm(bytes);
  throw BadImage("not a PNG, JPEG or PGM image");
}

/// The bytes of a file that may be a pipe.
std::vector<std::byte> bytes_of(std::FILE* file, const std::string& name) {
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), file)) {
    bytes.insert(bytes.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
    if (bytes.size() > byte_limit)
      throw data_error(
          fmt::format("{}: too large (expected at most {} MiB)", name, byte_limit >> 20),
          "shrink the image");
  }
  if (std::ferror(file))
    throw data_error(fmt::format("{}: cannot be read: {}", name, std::strerror(errno)), hint);
  return bytes;
}

}  // namespace

void check_picture_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) throw BadImage("damaged: it has no pixels");
  if (width > pixel_limit / height)
    throw BadImage(fmt::format("too large (got {}x{} pixels, expected at most {} million in all)",
                               width, height, pixel_limit / 1'000'000));
}

Picture decode_image(std::span<const std::byte> bytes, const std::string& name) {
  try {
    return decode(bytes);
  } catch (const BadImage& problem) {
    const bool large = std::string_view(problem.what()).starts_with("too large");
    throw data_error(fmt::format("{}: {}", name, problem.what()),
                     large ? "shrink the image, or cut the digit out of it" : hint);
  }
}

Picture read_image(const fs::path& file) {
  if (file == "-") return decode_image(bytes_of(stdin, "standard input"), "standard input");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> open(std::fopen(file.c_str(), "rb"),
                                                             std::fclose);
  if (!open)
    throw data_error(fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)),
                     hint);
  return decode_image(bytes_of(open.get(), file.string()), file.string());
}

bool is_image_name(const fs::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 5> known{".png", ".jpg", ".jpeg", ".pgm", ".pbm"};
  return std::ranges::find(known, extension) != known.end();
}

}  // namespace mnist_dist
