#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "data/array_set.h"
#include "data/csv_set.h"
#include "data/idx_set.h"
#include "data/order.h"
#include "data/other_sets.h"
#include "data/set_files.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t hold_out_seed = 1;

/// The parts as they were read.
struct Parts {
  RawSet train;
  std::optional<RawSet> test;
  std::map<std::string, std::string> sha256;
};

bool contains(const std::string& text, const char* part) { return text.find(part) != text.npos; }
bool is_test(const std::string& name) { return contains(name, "t10k") || contains(name, "test"); }
bool is_idx(const std::string& name) { return contains(name, "idx") || contains(name, "ubyte"); }
bool is_csv(const std::string& name) { return name.ends_with("-csv"); }
bool is_array_file(const std::string& name) {
  return name.ends_with("-npz") || name.ends_with("-h5") || name.ends_with("-hdf5");
}

Parts read_idx_parts(const fs::path& raw) {
  const auto file = [&](bool test, const char* holds) {
    const auto matches = [&](const std::string& name) {
      return is_idx(name) && contains(name, holds) && is_test(name) == test &&
             (test || contains(name, "train"));
    };
    return only_file(
        find_set_files(raw, matches), raw,
        fmt::format("{}-{}-idx{}-ubyte", test ? "test" : "train", holds, holds[0] == 'i' ? 3 : 1));
  };
  const fs::path paths[] = {file(false, "images"), file(false, "labels"), file(true, "images"),
                            file(true, "labels")};
  IdxSet train = read_idx_set(paths[0], paths[1]), test = read_idx_set(paths[2], paths[3]);
  Parts parts{std::move(train.set), std::move(test.set), {}};
  parts.sha256 = {{paths[0].filename(), train.images_sha256},
                  {paths[1].filename(), train.labels_sha256},
                  {paths[2].filename(), test.images_sha256},
                  {paths[3].filename(), test.labels_sha256}};
  return parts;
}

Parts read_file(const fs::path& file) {
  Parts parts;
  parts.sha256 = {{file.filename(), sha256_of_file(file)}};
  std::string name = file.filename();
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (name.ends_with(".npz") || name.ends_with(".h5") || name.ends_with(".hdf5")) {
    ArraySets sets = read_array_sets(file);
    parts.train = std::move(sets.train);
    parts.test = std::move(sets.test);
  } else {
    parts.train = read_csv_set(file);
  }
  return parts;
}

Parts read_csv_parts(const std::vector<fs::path>& files, const fs::path& raw) {
  std::vector<fs::path> train, test;
  for (const fs::path& file : files) (is_test(file.filename()) ? test : train).push_back(file);
  Parts parts = read_file(only_file(train, raw, "train.csv"));
  if (test.empty()) return parts;
  const fs::path file = only_file(test, raw, "test.csv");
  parts.test = read_csv_set(file);
  parts.sha256[file.filename()] = sha256_of_file(file);
  return parts;
}

Parts read_parts(const fs::path& raw) {
  std::error_code unknown;
  if (!fs::exists(raw, unknown))
    throw data_error(fmt::format("--raw: no {}", raw.string()),
                     "name a folder, or a CSV, npz or HDF5 file");
  if (fs::is_regular_file(raw, unknown)) return read_file(raw);
  if (!fs::is_directory(raw, unknown))
    throw data_error(fmt::format("--raw: {} is not a regular file", raw.string()),
                     "name a folder, or a CSV, npz or HDF5 file");
  const auto csv = find_set_files(raw, is_csv), arrays = find_set_files(raw, is_array_file),
             idx = find_set_files(raw, is_idx);
  if (!csv.empty() + !arrays.empty() + !idx.empty() > 1) {
    const fs::path& first = idx.empty() ? csv.front() : idx.front();
    const fs::path& other = arrays.empty() ? csv.front() : arrays.front();
    throw data_error(
        fmt::format("{} holds files of several kinds: {} and {}", raw.string(), first.string(),
                    other.string()),
        "name the file of one set as --raw, or a folder with the four IDX files alone");
  }
  if (!csv.empty()) return read_csv_parts(csv, raw);
  if (!arrays.empty()) return read_file(only_file(arrays, raw, "an npz file"));
  if (idx.empty())
    throw data_error(fmt::format("{}: no IDX, CSV, npz or HDF5 file found", raw.string()),
                     "name a folder or a file that holds labelled images");
  return read_idx_parts(raw);
}

/// Moves `count` rows, drawn at random, out of `set`.
Images hold_out(Images& set, int count) {
  std::vector<std::uint32_t> order(set.labels.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, hold_out_seed, 1, 0, Purpose::prepare_shuffle);
  const std::size_t kept = order.size() - static_cast<std::size_t>(count);
  std::ranges::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept));
  Images train, test;
  train.side = test.side = set.side;
  for (std::size_t i = 0; i < order.size(); ++i) {
    Images& to = i < kept ? train : test;
    const std::uint8_t* const image = set.image(static_cast<int>(order[i]));
    to.pixels.insert(to.pixels.end(), image, image + set.image_pixels());
    to.labels.push_back(set.labels[order[i]]);
  }
  set = std::move(train);
  return test;
}

/// Throws: Error (data) where there is nothing to learn. `file` is named.
void require_differences(const Images& train, const std::string& file) {
  const auto all_equal = [](const auto& values) {
    return std::ranges::adjacent_find(values, std::ranges::not_equal_to()) == values.end();
  };
  if (all_equal(train.labels))
    throw data_error(
        fmt::format("{}: each training image has the label {}", file, train.labels.front()),
        "give images of at least two classes");
  if (all_equal(train.pixels))
    throw data_error(
        fmt::format("{}: each pixel of the training images is {}", file, train.pixels.front()),
        "give images whose pixels differ");
}

void name_empty_classes(const OtherSet& set, const Progress& progress) {
  std::vector<int> counts(static_cast<std::size_t>(set.classes));
  for (const ClassIndex label : set.train.labels) ++counts[label];
  const auto empty = std::ranges::count(counts, 0);
  if (empty > 0)
    progress(fmt::format("note: {} of {} classes {} no training image ({}class {})", empty,
                         set.classes, empty == 1 ? "has" : "have",
                         empty == 1 ? "" : "the first is ",
                         std::ranges::find(counts, 0) - counts.begin()));
}

}  // namespace

OtherSet read_custom_set(const std::string& name, const fs::path& raw, std::optional<int> held_out,
                         const Progress& progress) {
  Parts parts = read_parts(raw);
  OtherSet out;
  out.source = fmt::format("{} from {}", name, raw.string());
  out.sha256 = std::move(parts.sha256);
  out.classes = classes_in(parts.train);
  const std::string file = parts.train.file;
  out.train = as_images(std::move(parts.train), out.classes);
  if (parts.test) {
    if (held_out)
      throw usage_error(fmt::format("--test-count: {} has test images", raw.string()),
                        "leave --test-count out");
    classes_in(*parts.test);
    const std::string test_file = parts.test->file;
    out.test = as_images(std::move(*parts.test), out.classes);
    if (out.test.side != out.train.side)
      throw data_error(
          fmt::format("{}: images of {}x{} pixels (expected {}x{}, as in {})", test_file,
                      out.test.side, out.test.side, out.train.side, out.train.side, file),
          "give training and test images of one size");
  } else {
    const int rows = out.train.count();
    const int count = held_out.value_or(std::max(1, rows / 7));
    if (count >= rows)
      throw data_error(
          fmt::format("{}: {} images, of which {} cannot be held out", file, rows, count),
          "give a smaller --test-count, or more images");
    out.test = hold_out(out.train, count);
    out.source += fmt::format(", {} images held out as the test set", count);
  }
  require_differences(out.train, file);
  name_empty_classes(out, progress);
  return out;
}

}  // namespace mnist_dist
