#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/sha256.h"
#include "data/dataset_writer.h"
#include "data/other_sets.h"

namespace mnist_dist {
namespace {

constexpr std::size_t digest_size = sizeof(Sha256Digest);

/// Whether this was a data file once, however damaged: the name of a dataset is where write_dataset
/// puts it, in the first few hundred bytes.
bool was_data_file(const std::filesystem::path& path) {
  std::string start(4096, '\0');
  std::ifstream(path, std::ios::binary)
      .read(start.data(), static_cast<std::streamsize>(start.size()));
  return start.find("chunk_sha256") != std::string::npos;
}

/// The hint for a file that cannot be used. Only a damaged data file should be written again,
/// because others may have been named by mistake.
std::string remedy(const std::string& path) {
  const auto status = std::filesystem::status(path);
  if (!std::filesystem::exists(status)) return "make it with: " + prepare_command(path);
  if (std::filesystem::is_regular_file(status)) {
    if (::access(path.c_str(), R_OK) != 0)
      return "check the file's permissions, or name a different one";
    if (was_data_file(path)) return "write it again with: " + prepare_command(path, "--force ");
  }
  return "name a data file instead of this one, or make one elsewhere with mnist-dist prepare "
         "--out FILE";
}

}  // namespace

Dataset::Dataset(const std::filesystem::path& path)
    : path_(path.string()), hint_(remedy(path_)), file_(path, hint_) {
  check_format();
  if (file_.has_attribute("name")) {
    name_ = file_.text("name");
    hint_ =
        "write it again with --force and the options of mnist-dist prepare that it was made with";
    file_.set_hint(hint_);
  }
  classes_ = read_classes();
  train_ = open_group("/train");
  test_ = open_group("/test");
  if (test_.side != train_.side)
    throw error(fmt::format("its test images are {0} x {0} pixels, its training images {1} x {1}",
                            test_.side, train_.side));
  mean_ = static_cast<float>(file_.real("mean"));
  sd_ = static_cast<float>(file_.real("sd"));
  if (!std::isfinite(mean_)) throw error("attribute mean is not finite");
  if (!(sd_ > 0) || !std::isfinite(sd_)) throw error("attribute sd is not positive and finite");
  synthetic_ = file_.integer("synthetic") != 0;
  source_ = file_.text("source");
  hash_ = dataset_hash(train_.chunk_sha256, test_.chunk_sha256);
}

Error Dataset::error(const std::string& what) const {
  reject_if_written(path_);
  return data_error(fmt::format("{}: {}", path_, what), hint_);
}

void Dataset::check_format() const {
  const auto version = file_.integer("format_version");
  if (version == dataset_format) return;
  throw error(fmt::format("format version {} is {} than {}, which this program reads", version,
                          version < dataset_format ? "older" : "newer", dataset_format));
}

Dataset::Group Dataset::open_group(const std::string& name) const {
  const auto expect_shape = [&](const std::string& dataset, const Extents& expected) {
    if (const Extents found = file_.extents(dataset); found != expected)
      throw error(fmt::format("dataset {}: wrong shape (got [{}], expected [{}])", dataset,
                              fmt::join(found, ", "), fmt::join(expected, ", ")));
  };
  const Extents shape = file_.extents(name + "/images");
  if (shape.empty() || shape[0] == 0 || shape[0] > 1'000'000'000)
    throw error(fmt::format("dataset {}/images has no usable rows", name));
  const std::size_t rows = shape[0];
  if (shape.size() != 3 || shape[1] != shape[2] || shape[1] < 1 || shape[1] > image_side_limit)
    throw error(
        fmt::format("dataset {}/images has shape [{}] (expected [rows, side, side], side 1 to {})",
                    name, fmt::join(shape, ", "), image_side_limit));
  Group group{name, static_cast<int>(rows), static_cast<int>(shape[1]), {}};
  file_.read_rows<std::uint8_t>(name + "/images", 0, {});  // no rows, but it checks the type
  expect_shape(name + "/labels", {rows});
  if (labels_are_bytes(classes_))
    file_.read_rows<std::uint8_t>(name + "/labels", 0, {});
  else
    file_.read_rows<std::uint16_t>(name + "/labels", 0, {});
  const std::size_t chunks = (rows + dataset_chunk_rows - 1) / dataset_chunk_rows;
  expect_shape(name + "/chunk_sha256", {chunks, digest_size});
  group.chunk_sha256 = file_.read<std::uint8_t>(name + "/chunk_sha256");
  return group;
}

Images Dataset::rows_of(const Group& group, Range rows) const {
  if (rows.first < 0 || rows.first > rows.last || rows.last > group.rows)
    throw internal_error(fmt::format("rows {} to {} of {}, which has {}", rows.first, rows.last,
                                     group.name, group.rows));
  Images out;
  out.first_row = rows.first;
  out.side = group.side;
  out.pixels.reserve(static_cast<std::size_t>(rows.size()) * out.image_pixels());
  out.labels.reserve(static_cast<std::size_t>(rows.size()));
  for (int first = rows.first / dataset_chunk_rows * dataset_chunk_rows; first < rows.last;
       first += dataset_chunk_rows) {
    const int last = std::min(first + dataset_chunk_rows, group.rows);
    if (labels_are_bytes(classes_))
      read_chunk<std::uint8_t>(group, first, last, out, rows);
    else
      read_chunk<std::uint16_t>(group, first, last, out, rows);
  }
  return out;
}

int Dataset::read_classes() const {
  if (!file_.has_attribute("classes")) return class_count;
  const std::int64_t classes = file_.integer("classes");
  if (classes < 2 || classes > class_limit)
    throw error(fmt::format("attribute classes is {} (expected 2 to {})", classes, class_limit));
  return static_cast<int>(classes);
}

template <class Label>
void Dataset::read_chunk(const Group& group, int first, int last, Images& into, Range rows) const {
  const auto count = static_cast<std::size_t>(last - first);
  const auto image = static_cast<std::ptrdiff_t>(into.image_pixels());
  std::vector<std::uint8_t> pixels(count * into.image_pixels());
  std::vector<Label> labels(count);
  file_.read_rows<std::uint8_t>(group.name + "/images", static_cast<std::size_t>(first), pixels);
  file_.read_rows<Label>(group.name + "/labels", static_cast<std::size_t>(first), labels);

  const auto chunk = static_cast<std::size_t>(first / dataset_chunk_rows);
  const Sha256Digest digest =
      Sha256().add(std::as_bytes(std::span(pixels))).add(std::as_bytes(std::span(labels))).digest();
  if (!std::ranges::equal(digest,
                          std::span(group.chunk_sha256).subspan(chunk * digest_size, digest_size)))
    throw error(fmt::format(
        "chunk {} of {} (rows {} to {}) is damaged: its SHA-256 is not the recorded one", chunk,
        group.name, first, last - 1));
  if (std::ranges::any_of(labels, [&](Label label) { return label >= classes_; }))
    throw error(fmt::format("chunk {} of {}/labels holds a label above {}", chunk, group.name,
                            classes_ - 1));

  const int begin = std::max(rows.first, first) - first, end = std::min(rows.last, last) - first;
  into.pixels.insert(into.pixels.end(), pixels.begin() + begin * image,
                     pixels.begin() + end * image);
  into.labels.insert(into.labels.end(), labels.begin() + begin, labels.begin() + end);
}

}  // namespace mnist_dist
