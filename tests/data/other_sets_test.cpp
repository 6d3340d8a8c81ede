#include "data/other_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "data/csv_set.h"
#include "data/data_name.h"
#include "failures.h"
#include "idx_files.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

class OtherSets : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    write_file_atomically(folder_ / name, bytes_of(text));
  }
  /// IDX files of `rows` images of 3x2 whose pixels count from 0, with these names.
  void write_idx(const std::string& part, int rows, const std::string& labels) {
    std::string pixels;
    for (int i = 0; i < 6 * rows; ++i) pixels += static_cast<char>(i);
    write_gzip(folder_ / (part + "-images-idx3-ubyte.gz"),
               idx_bytes(0x803, {static_cast<std::uint32_t>(rows), 3, 2}, pixels));
    write(part + "-labels-idx1-ubyte", label_idx(labels));
  }
  OtherSet custom(const std::string& raw = "", std::optional<int> held_out = {}) {
    return read_custom_set("mine", raw.empty() ? folder_ / "." : folder_ / raw, held_out,
                           [&](const std::string& line) { notes_ += line; });
  }
  OtherSet named(const std::string& name) {
    return read_named_set(name, folder_ / ".", [&](const std::string& line) { notes_ += line; });
  }
  std::string custom_failure(const std::string& raw = "") {
    return data_failure([&] { custom(raw); });
  }

  TemporaryFolder folder_;
  std::string notes_;
};

std::string row_of(const std::string& label, int pixels, const std::string& pixel = "7") {
  std::string row = label;
  for (int i = 0; i < pixels; ++i) row += "," + pixel;
  return row + "\n";
}

TEST_F(OtherSets, IdxFilesGiveSideAndClassesAndAMargin) {
  write_idx("train", 3, {0, 4, 1});
  write_idx("t10k", 1, {2});
  const OtherSet set = custom();
  EXPECT_EQ(set.classes, 5);
  EXPECT_EQ(set.train.side, 3);
  EXPECT_EQ(set.train.labels, (std::vector<ClassIndex>{0, 4, 1}));
  // 3x2: the margin of one column cannot be on both sides.
  EXPECT_THAT(std::vector<int>(set.train.pixels.begin(), set.train.pixels.begin() + 9),
              testing::ElementsAre(0, 1, 0, 2, 3, 0, 4, 5, 0));
  EXPECT_EQ(set.test.count(), 1);
  EXPECT_EQ(set.sha256.size(), 4u);
  EXPECT_THAT(notes_, HasSubstr("2 of 5 classes"));
}

TEST_F(OtherSets, LabelsOutsideTheLimitsAreNamedWithTheirRow) {
  write_idx("train", 2, {0, 1});
  write_idx("test", 1, {2});
  EXPECT_THAT(custom_failure(), HasSubstr("label 2 in row 0"));
  const std::string four = row_of("0", 4);
  write("a.csv", four + row_of("-1", 4));
  EXPECT_THAT(custom_failure("a.csv"), HasSubstr("label -1 in row 1"));
  write("a.csv", four + row_of("1000", 4));
  EXPECT_THAT(custom_failure("a.csv"), HasSubstr("label 1000 in row 1"));
}

TEST_F(OtherSets, ACsvFileWithOrWithoutHeader) {
  write("a.csv", "pixel0,pixel1,pixel2,pixel3,Label\r\n1,2,3,255,1\r\n5,6,7,8,0\r\n\r\n");
  const RawSet last = read_csv_set(folder_ / "a.csv");
  EXPECT_EQ(last.labels, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(last.pixels, (std::vector<std::uint8_t>{1, 2, 3, 255, 5, 6, 7, 8}));
  EXPECT_EQ(last.height, 2);
  write_gzip(folder_ / "b.csv.gz", "3, 1,2,3,4\n0,5,6,7,8");
  const RawSet first = read_csv_set(folder_ / "b.csv.gz");
  EXPECT_EQ(first.labels, (std::vector<std::int64_t>{3, 0}));
  EXPECT_EQ(first.pixels.back(), 8);
  write("c.csv", "\"label\",\"p0\"\n\"4\",\"9\"\n");  // as R writes it
  const RawSet quoted = read_csv_set(folder_ / "c.csv");
  EXPECT_EQ(quoted.labels, (std::vector<std::int64_t>{4}));
  EXPECT_EQ(quoted.pixels.back(), 9);
}

TEST_F(OtherSets, CsvFaultsNameTheLine) {
  const auto failure = [&](const std::string& text) {
    write("a.csv", text);
    return data_failure([&] { read_csv_set(folder_ / "a.csv"); });
  };
  EXPECT_THAT(failure(""), HasSubstr("no rows"));
  EXPECT_THAT(failure(row_of("0", 3)), HasSubstr("line 1: not a square image (got 3 pixels)"));
  EXPECT_THAT(failure(row_of("0", 4) + row_of("1", 3)), HasSubstr("line 2: 4 cells (expected 5)"));
  EXPECT_THAT(failure(row_of("0", 4) + row_of("1", 4, "256")), HasSubstr("line 2: pixel \"256\""));
  EXPECT_THAT(failure(row_of("0", 4) + row_of("1", 4, "-1")), HasSubstr("line 2: pixel \"-1\""));
  EXPECT_THAT(failure(row_of("0", 4) + row_of("1", 4, "0.5")), HasSubstr("line 2: pixel \"0.5\""));
  EXPECT_THAT(failure(row_of("0", 4) + row_of("a", 4)), HasSubstr("line 2: label \"a\""));
  EXPECT_THAT(failure("pixel0,pixel1\n1,2\n"), HasSubstr("no column \"label\""));
  EXPECT_THAT(failure(row_of("0", 4, "0.5")), HasSubstr("line 1: pixel \"0.5\""));
  EXPECT_THAT(failure(row_of("cat", 4)), HasSubstr("line 1: label \"cat\""));
  EXPECT_THAT(failure("0;1;2;3;4\n"), HasSubstr("line 1: no comma"));
  EXPECT_THAT(failure("label\tpixel0\n"), HasSubstr("line 1: no comma"));
  EXPECT_THAT(failure(row_of("0", 129 * 129)), HasSubstr("129x129 pixels"));
  EXPECT_THAT(failure(std::string("0,1\0,2", 6)), HasSubstr("not a CSV file"));
}

TEST_F(OtherSets, WithoutTestImagesSomeAreHeldOut) {
  std::string text;
  for (int i = 0; i < 21; ++i) text += row_of(std::to_string(i % 3), 1, std::to_string(i));
  write("a.csv", text);
  const OtherSet set = custom("a.csv");
  EXPECT_EQ(set.train.count(), 18);
  EXPECT_EQ(set.test.count(), 3);
  std::vector<std::uint8_t> all = set.train.pixels;
  all.insert(all.end(), set.test.pixels.begin(), set.test.pixels.end());
  std::ranges::sort(all);
  for (int i = 0; i < 21; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(set.test.labels[static_cast<std::size_t>(i)],
              set.test.pixels[static_cast<std::size_t>(i)] % 3);
  EXPECT_EQ(custom("a.csv", 5).test.count(), 5);
  EXPECT_THAT(data_failure([&] { custom("a.csv", 21); }), HasSubstr("21 cannot be held out"));
}

TEST_F(OtherSets, DamagedIdxFiles) {
  write_idx("train", 2, {0, 1});
  write_idx("test", 1, {0});
  write("train-labels-idx1-ubyte", label_idx("\1"));
  EXPECT_THAT(custom_failure(), HasSubstr("1 labels (expected 2"));
  write("train-labels-idx1-ubyte", label_idx(std::string("\0\1", 2)).substr(0, 9));
  EXPECT_THAT(custom_failure(), HasSubstr("truncated"));
  write("train-labels-idx1-ubyte", label_idx(std::string("\0\1", 2)) + "x");
  EXPECT_THAT(custom_failure(), HasSubstr("too long"));
  write("train-labels-idx1-ubyte", idx_bytes(0x803, {0xffffffff, 0xffffffff, 0xffffffff}, "x"));
  EXPECT_THAT(custom_failure(), HasSubstr("not usable"));
  write("train-labels-idx1-ubyte", idx_bytes(0x801, {}, ""));
  EXPECT_THAT(custom_failure(), HasSubstr("too few"));
  write("train-labels-idx1-ubyte", "<html>");
  EXPECT_THAT(custom_failure(), HasSubstr("not an IDX file"));
  write("a.csv", row_of("0", 4));
  EXPECT_THAT(custom_failure(), HasSubstr("several kinds"));
  EXPECT_THAT(custom_failure("nothing"), HasSubstr("no "));
}

TEST_F(OtherSets, EmnistIsTurnedUprightAndItsLettersBeginWith0) {
  for (const std::string part : {"train", "test"}) {
    std::string pixels(2 * 9, '\0');
    for (int i = 0; i < 18; ++i) pixels[static_cast<std::size_t>(i)] = static_cast<char>(i);
    write_gzip(folder_ / ("emnist-letters-" + part + "-images-idx3-ubyte.gz"),
               idx_bytes(0x803, {2, 3, 3}, pixels));
    write("emnist-letters-" + part + "-labels-idx1-ubyte", label_idx("\1\x1a"));
  }
  const OtherSet set = named("emnist-letters");
  EXPECT_EQ(set.classes, 26);
  EXPECT_EQ(set.train.labels, (std::vector<ClassIndex>{0, 25}));
  EXPECT_THAT(std::vector<int>(set.train.pixels.begin(), set.train.pixels.begin() + 9),
              testing::ElementsAre(0, 3, 6, 1, 4, 7, 2, 5, 8));
  EXPECT_THAT(notes_, HasSubstr("no published SHA-256"));
}

TEST_F(OtherSets, QmnistsTestImagesAreThoseThatMnistDoesNotHave) {
  const auto write_part = [&](const std::string& part, std::uint32_t rows) {
    std::string labels;
    for (std::uint32_t row = 0; row < rows; ++row)
      labels += std::string(3, '\0') + static_cast<char>(row % 10) + std::string(28, '\1');
    write_gzip(folder_ / ("qmnist-" + part + "-images-idx3-ubyte.gz"),
               idx_bytes(0x803, {rows, 1, 1}, std::string(rows, '\5')));
    write_gzip(folder_ / ("qmnist-" + part + "-labels-idx2-int.gz"),
               idx_bytes(0xc02, {rows, 8}, labels));
  };
  write_part("train", 20);
  write_part("test", 10'003);
  const OtherSet set = named("qmnist");
  EXPECT_EQ(set.train.count(), 20);
  EXPECT_EQ(set.test.labels, (std::vector<ClassIndex>{0, 1, 2}));
  EXPECT_THAT(notes_, HasSubstr("is not the published archive"));
}

TEST_F(OtherSets, MissingFilesAndTwoSetsInAFolder) {
  EXPECT_THAT(data_failure([&] { named("kmnist"); }), HasSubstr("train-images-idx3-ubyte"));
  for (const char* set : {"a", "b"}) {
    std::filesystem::create_directory(folder_ / set);
    for (const char* part : {"train", "t10k"}) write_idx(std::string(set) + "/" + part, 1, {0});
  }
  EXPECT_THAT(data_failure([&] { named("kmnist"); }), HasSubstr("holds several"));
}

TEST(DataName, OnlyTheHashIsMnist) {
  EXPECT_EQ(data_name({.hash = "00", .set = "letters"}), "letters, not MNIST");
  EXPECT_EQ(data_name({.hash = "00", .set = ""}), "OTHER digits, not MNIST");
  EXPECT_EQ(data_name({.hash = "00", .set = "MNIST"}), "OTHER digits, not MNIST");
  EXPECT_EQ(data_name({.hash = "00", .set = "mnist"}), "OTHER digits, not MNIST");
  EXPECT_EQ(data_name({.hash = "64e77be346d4a4da65b8b69dca50e8b4cb6aca883149677d196c80e6bbfef9da",
                       .set = "letters"}),
            "MNIST");
  EXPECT_FALSE(is_set_name("a b"));
  EXPECT_FALSE(is_set_name(std::string(41, 'a')));
}

}  // namespace
}  // namespace mnist_dist
