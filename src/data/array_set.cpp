#include "data/array_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "data/hdf5.h"
#include "data/npz_reader.h"

namespace mnist_dist {
namespace {

static_assert(std::endian::native == std::endian::little,
              "NumPy's arrays are, unless they say otherwise");

struct Names {
  const char *images, *labels;
};
constexpr std::array<Names, 4> train_names = {{{"x_train", "y_train"},
                                               {"train_images", "train_labels"},
                                               {"train/images", "train/labels"},
                                               {"images", "labels"}}};
constexpr std::array<Names, 3> test_names = {
    {{"x_test", "y_test"}, {"test_images", "test_labels"}, {"test/images", "test/labels"}}};

/// An array of either format.
struct Pixels {
  std::vector<std::size_t> shape;
  std::vector<std::uint8_t> values;
};

/// The arrays of a file by name.
class Arrays {
 public:
  virtual ~Arrays() = default;
  virtual bool has(const std::string& name) const = 0;
  virtual Pixels pixels(const std::string& name) const = 0;
  /// With the array's shape.
  virtual std::vector<std::int64_t> whole_numbers(const std::string& name,
                                                  std::vector<std::size_t>& shape) const = 0;
};

class NpzArrays : public Arrays {
 public:
  explicit NpzArrays(const std::filesystem::path& file) : file_(file.string()), reader_(file) {}
  bool has(const std::string& name) const override { return reader_.has(name); }
  Pixels pixels(const std::string& name) const override {
    NpyArray array = reader_.read(name);
    if (array.kind != 'u' || array.bytes != 1) throw wrong_type(name, array, "uint8");
    const auto* const first = reinterpret_cast<const std::uint8_t*>(array.values.data());
    return {std::move(array.shape), {first, first + array.values.size()}};
  }
  std::vector<std::int64_t> whole_numbers(const std::string& name,
                                          std::vector<std::size_t>& shape) const override {
    const NpyArray array = reader_.read(name);
    const bool known = array.bytes == 1 || array.bytes == 2 || array.bytes == 4 || array.bytes == 8;
    if ((array.kind != 'u' && array.kind != 'i') || !known)
      throw wrong_type(name, array, "whole numbers");
    shape = array.shape;
    const auto size = static_cast<std::size_t>(array.bytes);
    std::vector<std::int64_t> out;
    out.reserve(array.values.size() / size);
    for (std::size_t at = 0; at < array.values.size(); at += size) {
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < size; ++i) {
        const std::size_t from = array.big_endian ? i : size - 1 - i;
        value = value << 8 | std::to_integer<std::uint64_t>(array.values[at + from]);
      }
      if (array.kind == 'i' && size < 8 && value >> (8 * size - 1) != 0)
        value |= ~std::uint64_t{0} << (8 * size);
      out.push_back(static_cast<std::int64_t>(value));
    }
    return out;
  }

 private:
  Error wrong_type(const std::string& name, const NpyArray& array, const char* expected) const {
    return data_error(fmt::format("{}: array {} holds {} (expected {})", file_, name,
                                  array.type_text(), expected),
                      fmt::format("convert the array to {} before it is saved", expected));
  }
  std::string file_;
  NpzReader reader_;
};

class Hdf5Arrays : public Arrays {
 public:
  explicit Hdf5Arrays(const std::filesystem::path& file)
      : reader_(file,
                "replace the file with a whole copy whose images are uint8 and whose labels are "
                "whole numbers") {}
  bool has(const std::string& name) const override { return reader_.has("/" + name); }
  Pixels pixels(const std::string& name) const override {
    return {reader_.extents("/" + name), reader_.read<std::uint8_t>("/" + name)};
  }
  std::vector<std::int64_t> whole_numbers(const std::string& name,
                                          std::vector<std::size_t>& shape) const override {
    shape = reader_.extents("/" + name);
    return reader_.whole_numbers("/" + name);
  }

 private:
  Hdf5Reader reader_;
};

RawSet read_set(const Arrays& arrays, const Names& names, const std::string& file) {
  const auto shape_error = [&](const char* name, const std::vector<std::size_t>& shape,
                               const char* expected) {
    return data_error(fmt::format("{}: array {} has shape [{}] (expected {})", file, name,
                                  fmt::join(shape, ", "), expected),
                      "give grey images, one label for each");
  };
  RawSet set;
  set.file = fmt::format("{}: array {}", file, names.labels);
  Pixels images = arrays.pixels(names.images);
  std::vector<std::size_t> shape = images.shape;
  if (shape.size() == 4 && shape[3] == 1) shape.pop_back();
  if (shape.size() == 4 && shape[1] == 1) shape.erase(shape.begin() + 1);
  if (shape.size() != 3) throw shape_error(names.images, images.shape, "[rows, height, width]");
  check_image_shape(fmt::format("{}: array {}", file, names.images), shape[1], shape[2]);
  set.rows = shape[0];
  set.height = static_cast<int>(shape[1]);
  set.width = static_cast<int>(shape[2]);
  set.pixels = std::move(images.values);
  std::vector<std::size_t> label_shape;
  set.labels = arrays.whole_numbers(names.labels, label_shape);
  const bool column = label_shape.size() == 2 && label_shape[1] == 1;
  if (label_shape.size() != 1 && !column) throw shape_error(names.labels, label_shape, "[rows]");
  return set;
}

/// The first pair of which one array exists. Throws if the other one is missing.
template <std::size_t n>
std::optional<RawSet> find_set(const Arrays& arrays, const std::array<Names, n>& known,
                               const std::string& file) {
  for (const Names& names : known) {
    const bool images = arrays.has(names.images), labels = arrays.has(names.labels);
    if (images && labels) return read_set(arrays, names, file);
    if (images != labels)
      throw data_error(
          fmt::format("{}: no array {} beside {}", file, images ? names.labels : names.images,
                      images ? names.images : names.labels),
          "add the array to the file");
  }
  return std::nullopt;
}

bool is_hdf5(const std::filesystem::path& file) {
  std::array<char, 8> start{};
  std::ifstream(file, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == "\x89HDF\r\n\x1a\n";
}

}  // namespace

ArraySets read_array_sets(const std::filesystem::path& file) {
  std::unique_ptr<Arrays> arrays;
  if (is_hdf5(file))
    arrays = std::make_unique<Hdf5Arrays>(file);
  else
    arrays = std::make_unique<NpzArrays>(file);
  auto train = find_set(*arrays, train_names, file.string());
  if (!train)
    throw data_error(fmt::format("{}: no arrays x_train and y_train", file.string()),
                     "name the arrays x_train, y_train, x_test and y_test, or images and labels");
  return {std::move(*train), find_set(*arrays, test_names, file.string())};
}

}  // namespace mnist_dist
