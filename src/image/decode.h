#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "image/picture.h"

namespace mnist_dist {

/// Largest picture that is decoded, in pixels. Its size is checked before any memory is taken.
inline constexpr std::int64_t pixel_limit = 50'000'000;

/// Decodes PNG, JPEG and PGM, recognised by their first bytes. Transparent pixels get a background
/// that the ink stands out from. A JPEG is turned according to its EXIF orientation. `name` is for
/// messages.
/// Throws: Error (data): empty, unknown format, damaged, cut short, more than pixel_limit.
Picture decode_image(std::span<const std::byte> bytes, const std::string& name);

/// The same of a file, or of standard input where `file` is "-".
/// Throws: Error (data) also when it cannot be read.
Picture read_image(const std::filesystem::path& file);

/// True for a name that ends as the formats above do.
bool is_image_name(const std::filesystem::path& file);

}  // namespace mnist_dist
