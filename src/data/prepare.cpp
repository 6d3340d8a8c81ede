#include "data/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"
#include "data/mnist_files.h"
#include "data/order.h"
#include "data/other_sets.h"
#include "data/synthetic.h"

namespace mnist_dist {
namespace {

constexpr std::uint64_t shuffle_seed =
    1;  // recorded in the file. A different one would change every run's bits
constexpr std::uint64_t synthetic_seed = 1;  // the same digits on every machine

/// The rows of each class, after reading every chunk, which checks it.
std::vector<int> check_rows(const Dataset& dataset, Images (Dataset::*read)(Range) const,
                            int rows) {
  std::vector<int> count(static_cast<std::size_t>(dataset.classes()));
  for (int first = 0; first < rows; first += dataset_chunk_rows)
    for (const ClassIndex label :
         (dataset.*read)({first, std::min(first + dataset_chunk_rows, rows)}).labels)
      ++count[label];
  return count;
}

PrepareResult check_file(const std::filesystem::path& path) {
  const Dataset dataset(path);
  return {.file = path,
          .source = dataset.source(),
          .synthetic = dataset.synthetic(),
          .name = dataset.name(),
          .train_rows = dataset.train_rows(),
          .test_rows = dataset.test_rows(),
          .side = dataset.side(),
          .classes = dataset.classes(),
          .train_classes = check_rows(dataset, &Dataset::train, dataset.train_rows()),
          .test_classes = check_rows(dataset, &Dataset::test, dataset.test_rows()),
          .mean = dataset.mean(),
          .sd = dataset.sd(),
          .hash = dataset.hash()};
}

std::string description(bool synthetic, const std::string& name, int train_rows, int test_rows) {
  return fmt::format("{} + {} {}", train_rows, test_rows,
                     synthetic      ? "synthetic digits"
                     : name.empty() ? "MNIST digits"
                                    : "images of " + name);
}

/// An existing file is kept only if it is exactly the requested one, because results on a
/// different one differ.
PrepareResult keep_existing(const PrepareOptions& options) {
  PrepareResult found = check_file(options.out);
  const std::string is =
      description(found.synthetic, found.name, found.train_rows, found.test_rows);
  const std::string asked = options.synthetic
                                ? description(true, "", options.train_count, options.test_count)
                                : description(false, "", mnist_train_rows, mnist_test_rows);
  if (is != asked)
    throw data_error(fmt::format("{} holds {} (expected {})", options.out.string(), is, asked),
                     "choose a different file with --out, or replace this one with --force");
  found.kept = true;
  return found;
}

Images shuffled(const Images& images) {
  std::vector<std::uint32_t> order(images.labels.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, shuffle_seed, 0, 0, Purpose::prepare_shuffle);
  Images out;
  out.side = images.side;
  out.pixels.reserve(images.pixels.size());
  out.labels.reserve(images.labels.size());
  for (const std::uint32_t row : order) {
    const std::uint8_t* image = images.image(static_cast<int>(row));
    out.pixels.insert(out.pixels.end(), image, image + images.image_pixels());
    out.labels.push_back(images.labels[row]);
  }
  return out;
}

DatasetContents gather(const PrepareOptions& options, const Progress& progress) {
  DatasetContents contents;
  contents.synthetic = options.synthetic;
  if (options.synthetic) {
    progress(
        fmt::format("drawing {}", description(true, "", options.train_count, options.test_count)));
    contents.train = synthetic_digits(synthetic_seed, SyntheticSet::train, options.train_count);
    contents.test = synthetic_digits(synthetic_seed, SyntheticSet::test, options.test_count);
    contents.source = "synthetic digits";
  } else if (options.dataset != "mnist") {
    contents.name = options.dataset == "custom" ? options.name : options.dataset;
    progress(fmt::format("reading {} from {}", contents.name, options.raw->string()));
    OtherSet set = options.dataset == "custom"
                       ? read_custom_set(contents.name, *options.raw, options.held_out, progress)
                       : read_named_set(options.dataset, *options.raw, progress);
    contents.train = std::move(set.train);
    contents.test = std::move(set.test);
    contents.classes = set.classes;
    contents.source = set.source;
    contents.payload_sha256 = std::move(set.sha256);
  } else {
    const MnistSource source = find_mnist(options.raw, progress);
    progress(fmt::format("reading {}", source.description));
    Mnist mnist = read_mnist(source, progress);
    contents.train = std::move(mnist.train);
    contents.test = std::move(mnist.test);
    contents.source = source.description;
    for (const MnistFile& file : mnist_files) contents.payload_sha256[file.name] = file.sha256;
  }
  contents.train = shuffled(contents.train);
  contents.shuffle_seed = shuffle_seed;
  return contents;
}

}  // namespace

PrepareResult prepare(const PrepareOptions& options, const Progress& progress) {
  remove_leftovers_beside(options.out);
  const auto there = std::filesystem::status(options.out);
  if (std::filesystem::exists(there) &&
      !std::filesystem::is_regular_file(there))  // renaming would replace a device, too
    throw data_error(fmt::format("{} is not a regular file", options.out.string()),
                     "choose a different file with --out");
  if (std::filesystem::exists(there) && !options.force && options.dataset == "mnist") {
    progress(fmt::format("checking {}", options.out.string()));
    return keep_existing(options);
  }
  const DatasetContents contents = gather(options, progress);
  const std::string hash = dataset_hash(chunk_table(contents.train, contents.classes),
                                        chunk_table(contents.test, contents.classes));
  if (std::filesystem::exists(there) && !options.force) {
    PrepareResult found = check_file(options.out);
    if (found.name != contents.name || found.hash != hash)
      throw data_error(
          fmt::format(
              "{} holds {} with hash {:.12}... (expected {} with {:.12}...)", options.out.string(),
              description(found.synthetic, found.name, found.train_rows, found.test_rows),
              found.hash,
              description(false, contents.name, contents.train.count(), contents.test.count()),
              hash),
          "choose a different file with --out, or replace this one with --force");
    found.kept = true;
    return found;
  }
  progress(fmt::format("writing {}", options.out.string()));
  write_dataset(options.out, contents);

  progress(fmt::format("verifying {}", options.out.string()));
  PrepareResult result = check_file(options.out);
  if (result.hash != hash)
    throw data_error(fmt::format("{} does not hold what was written to it", options.out.string()),
                     "check the file system, then prepare again");
  return result;
}

}  // namespace mnist_dist
