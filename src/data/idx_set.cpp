#include "data/idx_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>

#include "base/error.h"
#include "base/sha256.h"
#include "data/idx.h"
#include "data/payload.h"

namespace mnist_dist {
namespace {

constexpr int type_byte = 8, type_int = 12;
constexpr std::uint64_t most_values = std::uint64_t{1} << 32;

struct IdxArray {
  int type = 0;
  std::vector<std::uint32_t> shape;
  std::vector<std::byte> values;
  std::string sha256;
};

/// The array of a file. Memory grows with the file's contents, not with the sizes in its header.
class ArrayReader {
 public:
  explicit ArrayReader(const std::filesystem::path& path) : path_(path.string()) {
    stream_payload(path, most_values, [&](std::span<const std::byte> part) { return take(part); });
    if (expected_ == 0) check_is_idx({}, path_);
    if (array_.values.size() < expected_)
      throw damaged(fmt::format("truncated (got {} bytes of values, expected {} from its header)",
                                array_.values.size(), expected_));
    array_.sha256 = hex(hash_.digest());
  }
  IdxArray array() && { return std::move(array_); }

 private:
  Error damaged(const std::string& what) const {
    return data_error(fmt::format("{}: {}", path_, what), "replace the file with a whole copy");
  }

  bool take(std::span<const std::byte> part) {
    hash_.add(part);
    if (expected_ == 0) part = part.subspan(read_header(part));
    if (part.size() > expected_ - array_.values.size())
      throw damaged(
          fmt::format("too long (expected {} bytes of values from its header)", expected_));
    array_.values.insert(array_.values.end(), part.begin(), part.end());
    return true;
  }

  /// The header lies in the first part. Returns its size.
  std::size_t read_header(std::span<const std::byte> part) {
    check_is_idx(part, path_);
    array_.type = std::to_integer<int>(part[2]);
    const auto dimensions = std::to_integer<std::size_t>(part[3]);
    const std::size_t header = 4 * (1 + dimensions);
    if (part.size() < header)
      throw damaged(fmt::format("{} bytes are too few for an IDX file", part.size()));
    if (array_.type != type_byte && array_.type != type_int)
      throw damaged(fmt::format("values of type 0x{:02x} (expected bytes, 0x08, or integers, 0x0c)",
                                array_.type));
    std::uint64_t count = 1;
    for (std::size_t i = 0; i < dimensions; ++i) {
      std::uint32_t extent = 0;
      for (std::size_t byte = 0; byte < 4; ++byte)
        extent = extent << 8 | std::to_integer<std::uint32_t>(part[4 * (1 + i) + byte]);
      array_.shape.push_back(extent);
      count = extent > 0 && count > most_values / extent ? most_values + 1 : count * extent;
    }
    if (count == 0 || count > most_values)
      throw damaged(
          fmt::format("shape [{}] in its header is not usable", fmt::join(array_.shape, ", ")));
    expected_ = count * (array_.type == type_int ? 4 : 1);
    return header;
  }

  std::string path_;
  Sha256 hash_;
  IdxArray array_;
  std::uint64_t expected_ = 0;  ///< bytes of values
};

Error shape_error(const std::filesystem::path& file, const IdxArray& array, const char* expected) {
  return data_error(fmt::format("{}: {} of shape [{}] (expected {})", file.string(),
                                array.type == type_int ? "integers" : "bytes",
                                fmt::join(array.shape, ", "), expected),
                    "replace the file with the right one of that name");
}

}  // namespace

IdxSet read_idx_set(const std::filesystem::path& images, const std::filesystem::path& labels) {
  IdxSet out;
  IdxArray pixels = ArrayReader(images).array();
  if (pixels.type != type_byte || pixels.shape.size() != 3)
    throw shape_error(images, pixels, "bytes [rows, height, width]");
  check_image_shape(images.string(), pixels.shape[1], pixels.shape[2]);
  const IdxArray classes = ArrayReader(labels).array();
  if (classes.shape.empty() || classes.shape.size() > 2)
    throw shape_error(labels, classes, "labels [rows]");

  RawSet& set = out.set;
  set.file = labels.string();
  set.rows = pixels.shape[0];
  set.height = static_cast<int>(pixels.shape[1]);
  set.width = static_cast<int>(pixels.shape[2]);
  const auto* const first = reinterpret_cast<const std::uint8_t*>(pixels.values.data());
  set.pixels.assign(first, first + pixels.values.size());
  const std::size_t value = classes.type == type_int ? 4 : 1;
  const std::size_t row = classes.values.size() / classes.shape[0];
  for (std::size_t at = 0; at < classes.values.size(); at += row) {
    std::uint32_t label = 0;
    for (std::size_t i = 0; i < value; ++i)
      label = label << 8 | std::to_integer<std::uint32_t>(classes.values[at + i]);
    set.labels.push_back(classes.type == type_int ? static_cast<std::int32_t>(label)
                                                  : static_cast<std::int64_t>(label));
  }
  out.images_sha256 = std::move(pixels.sha256);
  out.labels_sha256 = classes.sha256;
  return out;
}

}  // namespace mnist_dist
