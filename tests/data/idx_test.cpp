#include "data/idx.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data/idx_files.h"
#include "failures.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;

TEST(Idx, ReadsImages) {
  const std::string payload = image_idx(3);
  const auto pixels = idx_images(bytes_of(payload), "images");
  EXPECT_EQ(pixels.size(), 3u * 784);
  EXPECT_THAT(pixels, testing::Each(7));
}

TEST(Idx, ReadsLabels) {
  const std::string payload = label_idx({3, 0, 9});
  EXPECT_THAT(idx_labels(bytes_of(payload), "labels"), ElementsAre(3, 0, 9));
}

TEST(Idx, NamesTheKindOfAFileThatIsNoIdx) {
  using namespace std::string_literals;
  const std::string tar = std::string(257, 'x') + "ustar" + std::string(250, '\0');
  const std::pair<std::string, const char*> cases[] = {
      {"", "an empty file"},
      {"\r\n<!DOCTYPE HTML><html>", "a web page"},
      {"\xef\xbb\xbf<HTML>", "a web page"},
      {"<?xml version=\"1.0\"?><Error>", "an XML document"},
      {"{\"error\": 404}", "JSON text"},
      {"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"},
      {"PK\3\4\x14"s, "a zip archive"},
      {"PK\3\4 x_train.npy"s, "a NumPy archive (npz)"},
      {"\xfd"
       "7zXZ\0"s,
       "an xz archive"},
      {"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
      {"\x28\xb5\x2f\xfd", "a Zstandard archive"},
      {"BZh9", "a bzip2 archive"},
      {tar, "a tar archive"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"5,0,0,0\n4,1,0,0\n", "a text file"},
      {std::string(600, '\0'), "zero bytes"},
      {"\x80\x04\x95"s, "bytes 80 04 95"}};
  for (const auto& [bytes, kind] : cases)
    EXPECT_THAT(data_failure([&bytes = bytes] { check_is_idx(bytes_of(bytes), "x"); }),
                HasAll("x: ", fmt::format("got {}", kind)));
  check_is_idx(bytes_of(label_idx("")), "x");
}

TEST(Idx, WrongHeadersAreNamed) {
  const std::string labels = label_idx({1, 2});
  EXPECT_THAT(data_failure([&] { idx_images(bytes_of(labels), "x"); }), HasAll("x: ", "10 bytes"));
  const std::string images = image_idx(1);
  EXPECT_THAT(data_failure([&] { idx_labels(bytes_of(images), "x"); }),
              HasAll("x: ", "got 0x00000803", "expected 0x00000801"));
  const std::string wide = idx_bytes(0x803, {1, 28, 32}, std::string(28 * 32, 0));
  EXPECT_THAT(data_failure([&] { idx_images(bytes_of(wide), "x"); }),
              HasAll("x: ", "dimension 2", "got 32", "expected 28"));
}

TEST(Idx, TooFewAndTooManyBytesAreNamed) {
  const std::string images = image_idx(2);
  const std::string less = images.substr(0, images.size() - 1), more = images + "x";
  EXPECT_THAT(data_failure([&] { idx_images(bytes_of(less), "x"); }),
              HasAll("x: truncated", "got 1583", "expected 1584"));
  EXPECT_THAT(data_failure([&] { idx_images(bytes_of(more), "x"); }),
              HasAll("x: too long", "got 1585", "expected 1584"));
}

TEST(Idx, LabelTenIsNamedWithItsRow) {
  const std::string payload = label_idx({1, 2, 10, 3});
  EXPECT_THAT(data_failure([&] { idx_labels(bytes_of(payload), "folder/labels"); }),
              HasAll("folder/labels: row 2: ", "got 10", "expected 0 to 9"));
}

}  // namespace
}  // namespace mnist_dist
