#include "data/dataset.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/file.h"
#include "data/dataset_writer.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

/// Rows that can be told apart: row r is all zeros but for its number in the first two pixels, and
/// a pixel of 255. Its label is r % 10.
Images numbered(int rows) {
  Images images;
  images.pixels.resize(static_cast<std::size_t>(rows) * image_size);
  for (int row = 0; row < rows; ++row) {
    std::uint8_t* image = images.pixels.data() + static_cast<std::size_t>(row) * image_size;
    image[0] = static_cast<std::uint8_t>(row % 256),
    image[1] = static_cast<std::uint8_t>(row / 256), image[2] = 255;
    images.labels.push_back(static_cast<std::uint8_t>(row % 10));
  }
  return images;
}

class DatasetFile : public testing::Test {
 protected:
  DatasetFile() { write(2500, 1000); }
  void write(int train_rows, int test_rows) {
    contents_ = {.train = numbered(train_rows),
                 .test = numbered(test_rows),
                 .source = "numbers",
                 .synthetic = true,
                 .payload_sha256 = {}};
    write_dataset(path_, contents_);
  }
  /// Changes the file where training row `row` lies in it.
  void damage(int row, const std::function<void(std::span<std::byte> image)>& change) {
    auto bytes = read_file(path_);
    const auto image = std::as_bytes(std::span(contents_.train.image(row), image_size));
    const auto at = std::search(bytes.begin(), bytes.end(), image.begin(), image.end());
    ASSERT_NE(at, bytes.end());
    change(std::span(at, image.size()));
    write_file_atomically(path_, bytes);
  }
  void expect_rows(const Images& images, Range rows) {
    EXPECT_EQ(images.first_row, rows.first);
    ASSERT_EQ(images.count(), rows.size());
    ASSERT_EQ(images.pixels.size(), static_cast<std::size_t>(rows.size()) * image_size);
    for (int i = 0; i < rows.size(); ++i) {
      EXPECT_TRUE(std::equal(images.image(i), images.image(i) + image_size,
                             contents_.train.image(rows.first + i)));
      EXPECT_EQ(images.labels[static_cast<std::size_t>(i)], (rows.first + i) % 10);
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "mnist.h5";
  DatasetContents contents_;
};

TEST_F(DatasetFile, DescribesItsContents) {
  const Dataset dataset(path_);
  EXPECT_EQ(dataset.train_rows(), 2500);
  EXPECT_EQ(dataset.test_rows(), 1000);
  EXPECT_TRUE(dataset.synthetic());
  EXPECT_EQ(dataset.source(), "numbers");
  EXPECT_EQ(dataset.hash().size(), 64u);
  EXPECT_EQ(dataset.hash(),
            dataset_hash(chunk_table(contents_.train), chunk_table(contents_.test)));
}

TEST_F(DatasetFile, AnyRangeOfRowsComesBack) {
  const Dataset dataset(path_);
  for (const Range rows : {Range{0, 2500}, Range{0, 1}, Range{999, 1001}, Range{1000, 2000},
                           Range{2499, 2500}, Range{625, 1250}, Range{1000, 1000}})
    expect_rows(dataset.train(rows), rows);
  EXPECT_EQ(dataset.test({500, 600}).labels.size(), 100u);
}

TEST_F(DatasetFile, RowCountsNeedNotFillChunks) {
  for (const int rows : {1, 999, 1000, 1001, 2000}) {
    write(rows, 1);
    expect_rows(Dataset(path_).train({0, rows}), {0, rows});
  }
}

TEST_F(DatasetFile, MeanAndDeviationAreOfTrainingPixelsToFourDecimals) {
  contents_.train.pixels.assign(contents_.train.pixels.size(), 0);
  std::fill_n(contents_.train.pixels.begin(), contents_.train.pixels.size() / 4, std::uint8_t{255});
  write_dataset(path_, contents_);
  EXPECT_EQ(Dataset(path_).mean(), 0.25f);
  EXPECT_EQ(Dataset(path_).sd(), 0.433f);  // sqrt(3) / 4
}

TEST_F(DatasetFile, HashFollowsEveryRow) {
  const std::string before = Dataset(path_).hash();
  ++contents_.test.labels.back();
  write_dataset(path_, contents_);
  const std::string after_label = Dataset(path_).hash();
  EXPECT_NE(after_label, before);
  ++contents_.train.pixels.back();
  write_dataset(path_, contents_);
  EXPECT_NE(Dataset(path_).hash(), after_label);
}

TEST_F(DatasetFile, ADamagedChunkIsNamedAndTheOthersStillRead) {
  damage(1234, [](std::span<std::byte> image) { image[400] = std::byte{1}; });
  const Dataset dataset(path_);
  expect_rows(dataset.train({0, 1000}), {0, 1000});
  expect_rows(dataset.train({2000, 2500}), {2000, 2500});
  const std::string what = data_failure([&] { dataset.train({1900, 2100}); });
  EXPECT_THAT(what, HasSubstr(path_.string()));
  EXPECT_THAT(what, HasSubstr("1000 to 1999"));
  EXPECT_THAT(what, AnyOf(HasSubstr("Fletcher32"),
                          HasSubstr("filter returned failure")));  // HDF5 1.10, 1.14
}

TEST_F(DatasetFile, TheChunkHashFindsFaultsThatFletcherMisses) {
  // Fletcher32 counts modulo 65535, where 0000 and FFFF are the same.
  damage(1234,
         [](std::span<std::byte> image) { std::fill_n(image.begin() + 400, 16, std::byte{0xff}); });
  std::vector<std::uint8_t> pixels(std::size_t{1000} * image_size);
  EXPECT_NO_THROW(Hdf5Reader(path_).read_rows<std::uint8_t>("/train/images", 1000, pixels))
      << "Fletcher32 found it: this test tests nothing";
  EXPECT_THAT(data_failure([&] { Dataset(path_).train({1000, 1001}); }), HasSubstr("chunk 1"));
}

TEST_F(DatasetFile, MissingFileHasAHintToMakeIt) {
  const Error error = failure(ExitCode::data, [&] { Dataset(folder_ / "none.h5"); });
  EXPECT_EQ(error.hint(),
            "make it with: mnist-dist prepare --out " + (folder_ / "none.h5").string());
}

TEST_F(DatasetFile, OnlyADamagedDataFileIsToBeWrittenAgain) {
  const auto hint_of = [](const std::filesystem::path& path) {
    try {
      Dataset(path).train({0, 1});
    } catch (const Error& error) {
      return error.hint();
    }
    return std::string("no error");
  };
  const auto bytes = read_file(path_);
  const std::string again =
      "write it again with: mnist-dist prepare --force --out " + path_.string();
  write_file_atomically(path_, std::span(bytes).first(bytes.size() / 2));
  EXPECT_EQ(hint_of(path_), again) << "cut off";
  auto damaged = bytes;
  damaged[0] = std::byte{0};
  write_file_atomically(path_, damaged);
  EXPECT_EQ(hint_of(path_), again) << "no longer HDF5";

  Hdf5Writer other;
  other.attribute("format_version", std::int64_t{1});
  write_file_atomically(folder_ / "checkpoint.h5", other.finish());
  write_file_atomically(folder_ / "text.toml", "[train]");
  for (const auto& path : {folder_ / "checkpoint.h5", folder_ / "text.toml", folder_.path(),
                           std::filesystem::path("/dev/null")})
    EXPECT_THAT(hint_of(path), HasSubstr("name a data file")) << path;
}

/// A file as the schema has it, but for what a test changes.
struct Schema {
  std::int64_t version = dataset_format;
  std::size_t image_side_in_file = image_side, labels = 20;
  bool float_images = false, test_labels = true, sd = true;
  std::uint8_t label = 3;
  double mean = 0.1, sd_value = 0.3;

  void write(const std::filesystem::path& path) const {
    Hdf5Writer writer;
    for (const std::string group : {"/train", "/test"}) {
      const Extents shape{20, image_side_in_file, image_side_in_file};
      const std::size_t size = 20 * image_side_in_file * image_side_in_file;
      Images images{std::vector<std::uint8_t>(size), std::vector<ClassIndex>(labels, label)};
      const std::vector<std::uint8_t> label_bytes(labels, label);
      if (float_images)
        writer.dataset<float>(group + "/images", std::vector<float>(size), shape);
      else
        writer.dataset<std::uint8_t>(group + "/images", images.pixels, shape);
      if (test_labels || group == "/train")
        writer.dataset<std::uint8_t>(group + "/labels", label_bytes, {labels});
      images.pixels.resize(labels * image_size);
      writer.dataset<std::uint8_t>(group + "/chunk_sha256", chunk_table(images), {1, 32});
    }
    writer.attribute("format_version", version);
    writer.attribute("mean", mean);
    if (sd) writer.attribute("sd", sd_value);
    writer.attribute("synthetic", std::int64_t{1});
    writer.attribute("source", "test");
    write_file_atomically(path, writer.finish());
  }
};

std::string failure_of(const std::filesystem::path& path, const Schema& schema) {
  schema.write(path);
  return data_failure([&] { Dataset(path).train({0, 20}); });
}

TEST_F(DatasetFile, OtherSchemasAreNamed) {
  Schema{}.write(path_);
  EXPECT_EQ(Dataset(path_).train({0, 20}).count(), 20) << "the unchanged schema is fine";

  EXPECT_THAT(failure_of(path_, {.version = 0}), HasSubstr("older"));
  EXPECT_THAT(failure_of(path_, {.version = 2}), HasSubstr("newer"));
  EXPECT_THAT(failure_of(path_, {.image_side_in_file = 129}), HasSubstr("[20, 129, 129]"));
  EXPECT_THAT(failure_of(path_, {.labels = 19}), HasSubstr("got [19], expected [20]"));
  EXPECT_THAT(failure_of(path_, {.float_images = true}), HasSubstr("/train/images: wrong type"));
  EXPECT_THAT(failure_of(path_, {.test_labels = false}), HasSubstr("/test/labels"));
  EXPECT_THAT(failure_of(path_, {.sd = false}), HasSubstr("sd is missing"));
  EXPECT_THAT(failure_of(path_, {.mean = std::nan("")}), HasSubstr("attribute mean"));
  EXPECT_THAT(failure_of(path_, {.sd_value = 0}), HasSubstr("sd is not positive"));
  EXPECT_THAT(failure_of(path_, {.sd_value = INFINITY}), HasSubstr("sd is not positive"));
  EXPECT_THAT(failure_of(path_, {.label = 10}), HasSubstr("/train/labels"));
}

TEST_F(DatasetFile, OfADifferentShape) {
  const auto set = [](int rows) {
    Images images;
    images.side = 12;
    images.pixels.resize(static_cast<std::size_t>(rows) * 144);
    for (int row = 0; row < rows; ++row) {
      images.pixels[static_cast<std::size_t>(row) * 144] = static_cast<std::uint8_t>(row);
      images.labels.push_back(static_cast<ClassIndex>(row % 300));
    }
    return images;
  };
  for (const int classes : {256, 300}) {  // labels of one byte, and of two
    DatasetContents contents{.train = set(1200),
                             .test = set(40),
                             .source = "numbers",
                             .payload_sha256 = {},
                             .classes = classes,
                             .name = "numbers"};
    for (ClassIndex& label : contents.train.labels)
      label = static_cast<ClassIndex>(label % classes);
    write_dataset(path_, contents);
    const Dataset dataset(path_);
    EXPECT_EQ(dataset.side(), 12);
    EXPECT_EQ(dataset.classes(), classes);
    EXPECT_EQ(dataset.name(), "numbers");
    const Images read = dataset.train({999, 1002});
    EXPECT_EQ(read.side, 12);
    EXPECT_EQ(read.labels,
              (std::vector<ClassIndex>{static_cast<ClassIndex>(999 % 300 % classes),
                                       static_cast<ClassIndex>(1000 % 300 % classes),
                                       static_cast<ClassIndex>(1001 % 300 % classes)}));
    EXPECT_EQ(read.image(1)[0], 1000 % 256);
    EXPECT_EQ(dataset.hash(), dataset_hash(chunk_table(contents.train, classes),
                                           chunk_table(contents.test, classes)));
  }
}

}  // namespace
}  // namespace mnist_dist
