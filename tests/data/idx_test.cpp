#include "data/idx.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "data/failures.h"
#include "data/idx_files.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Idx, ReadsPlainAndGzippedAlike) {
  const TemporaryFolder folder;
  const std::string payload = image_idx(3);
  write_file_atomically(folder / "plain", payload);
  write_gzip(folder / "packed.gz", payload);
  EXPECT_EQ(read_unpacked(folder / "plain"), read_unpacked(folder / "packed.gz"));
  const auto unpacked = read_unpacked(folder / "packed.gz");
  const auto pixels = idx_images(unpacked, "packed.gz");
  EXPECT_EQ(pixels.size(), 3u * 784);
  EXPECT_THAT(pixels, testing::Each(7));
}

TEST(Idx, ReadsLabels) {
  const std::string payload = label_idx({3, 0, 9});
  EXPECT_THAT(idx_labels(bytes_of(payload), "labels"), ElementsAre(3, 0, 9));
}

TEST(Idx, TruncatedOrDamagedArchivesAreNamed) {
  const TemporaryFolder folder;
  const auto path = folder / "images.gz";
  std::string noise = image_idx(50);
  for (std::size_t i = 16; i < noise.size(); ++i)
    noise[i] = static_cast<char>(i * i * 2654435761u >> 13);  // so that gzip cannot pack it into nothing
  write_gzip(path, noise);
  const auto whole = read_file(path);
  write_file_atomically(path, std::span(whole).first(whole.size() / 2));
  EXPECT_THAT(data_failure([&] { read_unpacked(path); }), HasSubstr("images.gz: cannot unpack"));
  auto flipped = whole;
  flipped[whole.size() / 2] ^= std::byte{1};
  write_file_atomically(path, flipped);
  EXPECT_THAT(data_failure([&] { read_unpacked(path); }), HasSubstr("images.gz: cannot unpack"));
  EXPECT_THAT(data_failure([&] { read_unpacked(folder / "none.gz"); }), HasSubstr("none.gz: No such file"));
}

TEST(Idx, WrongHeadersAreNamed) {
  const std::string labels = label_idx({1, 2});
  EXPECT_EQ(data_failure([&] { idx_images(bytes_of(labels), "x"); }), "x: 10 bytes are too few for an IDX file");
  const std::string images = image_idx(1);
  EXPECT_EQ(data_failure([&] { idx_labels(bytes_of(images), "x"); }), "x: magic number is 0x00000803, not 0x00000801");
  const std::string wide = idx_bytes(0x803, {1, 28, 32}, std::string(28 * 32, 0));
  EXPECT_EQ(data_failure([&] { idx_images(bytes_of(wide), "x"); }), "x: dimension 2 is 32, not 28");
}

TEST(Idx, TooFewAndTooManyBytesAreNamed) {
  const std::string images = image_idx(2);
  const std::string less = images.substr(0, images.size() - 1), more = images + "x";
  EXPECT_EQ(data_failure([&] { idx_images(bytes_of(less), "x"); }), "x: truncated: its header announces 1584 bytes, it has 1583");
  EXPECT_EQ(data_failure([&] { idx_images(bytes_of(more), "x"); }), "x: too long: its header announces 1584 bytes, it has 1585");
}

TEST(Idx, LabelTenIsNamedWithItsRow) {
  const std::string payload = label_idx({1, 2, 10, 3});
  EXPECT_EQ(data_failure([&] { idx_labels(bytes_of(payload), "folder/labels"); }), "folder/labels: label 10 in row 2: labels are 0 to 9");
}

}  // namespace
}  // namespace mnist_dist
