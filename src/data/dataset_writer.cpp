#include "data/dataset_writer.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/sha256.h"
#include "data/dataset.h"
#include "data/hdf5.h"

namespace mnist_dist {
namespace {

struct Moments {
  double mean, sd;
};

/// Of pixels / 255, to four decimals. Sums are exact integers, so that they are the same
/// everywhere.
Moments moments(std::span<const std::uint8_t> pixels) {
  std::uint64_t sum = 0, squares = 0;
  for (const std::uint64_t pixel : pixels) sum += pixel, squares += pixel * pixel;
  const double count = static_cast<double>(pixels.size());
  const double mean = static_cast<double>(sum) / count;
  const double variance = static_cast<double>(squares) / count - mean * mean;
  const auto rounded = [](double value) { return std::round(value / 255 * 1e4) / 1e4; };
  return {rounded(mean), rounded(std::sqrt(variance))};
}

std::vector<std::uint8_t> label_bytes(const Images& images) {
  return {images.labels.begin(), images.labels.end()};
}

void write_group(Hdf5Writer& writer, const std::string& group, const Images& images, int classes) {
  const auto rows = static_cast<std::size_t>(images.count()),
             side = static_cast<std::size_t>(images.side);
  writer.dataset<std::uint8_t>(group + "/images", images.pixels, {rows, side, side},
                               dataset_chunk_rows);
  if (labels_are_bytes(classes))
    writer.dataset<std::uint8_t>(group + "/labels", label_bytes(images), {rows},
                                 dataset_chunk_rows);
  else
    writer.dataset<std::uint16_t>(group + "/labels", images.labels, {rows}, dataset_chunk_rows);
  const auto table = chunk_table(images, classes);
  writer.dataset<std::uint8_t>(group + "/chunk_sha256", table,
                               {table.size() / sizeof(Sha256Digest), sizeof(Sha256Digest)},
                               dataset_chunk_rows);
}

}  // namespace

std::vector<std::uint8_t> chunk_table(const Images& images, int classes) {
  const std::vector<std::uint8_t> bytes =
      labels_are_bytes(classes) ? label_bytes(images) : std::vector<std::uint8_t>();
  std::vector<std::uint8_t> table;
  for (int first = 0; first < images.count(); first += dataset_chunk_rows) {
    const auto begin = static_cast<std::size_t>(first);
    const auto rows =
        static_cast<std::size_t>(std::min(dataset_chunk_rows, images.count() - first));
    const auto pixels = std::span(images.pixels)
                            .subspan(begin * images.image_pixels(), rows * images.image_pixels());
    const auto labels = bytes.empty() ? std::as_bytes(std::span(images.labels).subspan(begin, rows))
                                      : std::as_bytes(std::span(bytes).subspan(begin, rows));
    const Sha256Digest digest = Sha256().add(std::as_bytes(pixels)).add(labels).digest();
    table.insert(table.end(), digest.begin(), digest.end());
  }
  return table;
}

std::string dataset_hash(std::span<const std::uint8_t> train_table,
                         std::span<const std::uint8_t> test_table) {
  return hex(Sha256().add(std::as_bytes(train_table)).add(std::as_bytes(test_table)).digest());
}

void write_dataset(const std::filesystem::path& path, const DatasetContents& contents) {
  Hdf5Writer writer;
  write_group(writer, "/train", contents.train, contents.classes);
  write_group(writer, "/test", contents.test, contents.classes);
  const auto [mean, sd] = moments(contents.train.pixels);
  writer.attribute("format_version", std::int64_t{dataset_format});
  writer.attribute("source", contents.source);
  writer.attribute("synthetic", std::int64_t{contents.synthetic});
  if (!contents.name.empty()) {
    writer.attribute("name", contents.name);
    writer.attribute("classes", std::int64_t{contents.classes});
  }
  for (const auto& [name, digest] : contents.payload_sha256)
    writer.attribute("sha256_" + name, digest);
  writer.attribute("shuffle_seed", static_cast<std::int64_t>(contents.shuffle_seed));
  writer.attribute("mean", mean);
  writer.attribute("sd", sd);
  make_folders(path.parent_path());
  write_file_atomically(path, writer.finish());
}

}  // namespace mnist_dist
