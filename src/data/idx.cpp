#include "data/idx.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/file_kind.h"
#include "model/spec.h"

namespace mnist_dist {
namespace {

constexpr std::uint32_t images_magic = 0x00000803;  // unsigned bytes, 3 dimensions
constexpr std::uint32_t labels_magic = 0x00000801;  // unsigned bytes, 1 dimension

Error damaged(const std::string& file, const std::string& what) {
  return data_error(fmt::format("{}: {}", file, what), "replace the file with a whole copy");
}

std::uint32_t big_endian(std::span<const std::byte> bytes, std::size_t word) {
  std::uint32_t value = 0;
  for (const std::byte byte : bytes.subspan(4 * word, 4))
    value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return value;
}

/// Checks magic number, dimensions (rows x row_shape) and size. Returns the elements.
std::span<const std::uint8_t> elements(std::span<const std::byte> payload, const std::string& file,
                                       std::uint32_t magic,
                                       std::span<const std::uint32_t> row_shape) {
  check_is_idx(payload, file);
  const std::size_t header = 4 * (2 + row_shape.size());
  if (payload.size() < header)
    throw damaged(file, fmt::format("{} bytes are too few for an IDX file", payload.size()));
  if (const auto found = big_endian(payload, 0); found != magic)
    throw damaged(
        file, fmt::format("wrong magic number (got 0x{:08x}, expected 0x{:08x})", found, magic));
  std::size_t size = big_endian(payload, 1);
  for (std::size_t i = 0; i < row_shape.size(); ++i) {
    if (const auto found = big_endian(payload, 2 + i); found != row_shape[i])
      throw damaged(file, fmt::format("wrong dimension {} (got {}, expected {})", i + 1, found,
                                      row_shape[i]));
    size *= row_shape[i];
  }
  if (payload.size() != header + size)
    throw damaged(file, fmt::format("{} (got {} bytes, expected {} from its header)",
                                    payload.size() < header + size ? "truncated" : "too long",
                                    payload.size(), header + size));
  return {reinterpret_cast<const std::uint8_t*>(payload.data()) + header, size};
}

}  // namespace

void check_is_idx(std::span<const std::byte> head, const std::string& file) {
  // Two zeros, then an element type: 8 to 14, without 10. One dimension at least.
  const auto byte = [&](std::size_t i) {
    return i < head.size() ? std::to_integer<int>(head[i]) : 0;
  };
  const bool is_idx =
      byte(0) == 0 && byte(1) == 0 && byte(2) >= 8 && byte(2) <= 14 && byte(2) != 10 && byte(3) > 0;
  if (!is_idx)
    throw damaged(file, fmt::format("not an IDX file (got {}, expected images or labels of MNIST)",
                                    file_kind(head)));
}

std::span<const std::uint8_t> idx_images(std::span<const std::byte> payload,
                                         const std::string& file) {
  constexpr std::uint32_t shape[] = {image_side, image_side};
  return elements(payload, file, images_magic, shape);
}

std::span<const std::uint8_t> idx_labels(std::span<const std::byte> payload,
                                         const std::string& file) {
  const auto labels = elements(payload, file, labels_magic, {});
  const auto wrong =
      std::ranges::find_if(labels, [](std::uint8_t label) { return label >= class_count; });
  if (wrong != labels.end())
    throw damaged(file, fmt::format("row {}: wrong label (got {}, expected 0 to 9)",
                                    wrong - labels.begin(), *wrong));
  return labels;
}

}  // namespace mnist_dist
