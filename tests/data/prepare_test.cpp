#include "data/prepare.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "base/file.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"
#include "data/synthetic.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Prepare : public testing::Test {
 protected:
  Prepare() {
    options_.out = folder_ / "made/mnist.h5";
    options_.synthetic = true;
    options_.train_count = 1500;
    options_.test_count = 250;
  }
  PrepareResult run() {
    return prepare(options_, [this](const std::string& line) { lines_.push_back(line); });
  }
  std::vector<std::byte> file() const { return read_file(options_.out); }

  TemporaryFolder folder_;
  PrepareOptions options_;
  std::vector<std::string> lines_;
};

TEST_F(Prepare, WritesAndDescribesTheFile) {
  const PrepareResult result = run();
  EXPECT_FALSE(result.kept);
  EXPECT_TRUE(result.synthetic);
  EXPECT_EQ(result.source, "synthetic digits");
  EXPECT_EQ(result.train_rows, 1500);
  EXPECT_EQ(result.test_rows, 250);
  EXPECT_EQ(std::accumulate(result.train_classes.begin(), result.train_classes.end(), 0), 1500);
  EXPECT_EQ(std::accumulate(result.test_classes.begin(), result.test_classes.end(), 0), 250);
  EXPECT_EQ(result.hash, Dataset(options_.out).hash());
  EXPECT_TRUE(Dataset(options_.out).synthetic());
}

TEST_F(Prepare, ShufflesTrainingRowsOnceAndKeepsImagesWithTheirLabels) {
  run();
  const Dataset dataset(options_.out);
  const Images drawn = synthetic_digits(1, SyntheticSet::train, 1500),
               stored = dataset.train({0, 1500});
  std::map<std::string, std::uint8_t> label_of;
  for (int i = 0; i < 1500; ++i)
    label_of[std::string(drawn.image(i), drawn.image(i) + image_size)] =
        drawn.labels[static_cast<std::size_t>(i)];
  int moved = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto found = label_of.find(std::string(stored.image(i), stored.image(i) + image_size));
    ASSERT_NE(found, label_of.end());
    EXPECT_EQ(found->second, stored.labels[static_cast<std::size_t>(i)]);
    label_of.erase(found);
    moved += !std::equal(stored.image(i), stored.image(i) + image_size, drawn.image(i));
  }
  EXPECT_TRUE(label_of.empty()) << "every row once";
  EXPECT_GT(moved, 1400);
  EXPECT_EQ(dataset.test({0, 250}).pixels, synthetic_digits(1, SyntheticSet::test, 250).pixels);
}

TEST_F(Prepare, KeepsAValidFile) {
  run();
  const auto written = fs::last_write_time(options_.out);
  const PrepareResult again = run();
  EXPECT_TRUE(again.kept);
  EXPECT_EQ(fs::last_write_time(options_.out), written);
  EXPECT_EQ(again.train_rows, 1500);
}

TEST_F(Prepare, SameDigitsSameBytes) {
  run();
  const auto first = file();
  options_.force = true;
  EXPECT_FALSE(run().kept);
  EXPECT_EQ(file(), first);
}

TEST_F(Prepare, ADamagedFileIsReplacedOnlyByForce) {
  run();
  const auto good = file();
  auto bad = good;
  bad[bad.size() / 2] ^= std::byte{1};
  write_file_atomically(options_.out, bad);
  EXPECT_THAT(failure(ExitCode::data, [&] { run(); }).hint(), HasSubstr("--force"));
  EXPECT_EQ(file(), bad);
  options_.force = true;
  run();
  EXPECT_EQ(file(), good);
}

TEST_F(Prepare, NeverTakesOneKindOfDataForTheOther) {
  run();
  const auto synthetic = file();
  options_.synthetic = false;
  EXPECT_THAT(data_failure([&] { run(); }), HasSubstr("60000 + 10000 MNIST"));
  EXPECT_EQ(file(), synthetic);

  write_dataset(options_.out, {.train = synthetic_digits(1, SyntheticSet::train, 1500),
                               .test = synthetic_digits(1, SyntheticSet::test, 250),
                               .source = "MNIST",
                               .synthetic = false,
                               .payload_sha256 = {}});
  const auto real = file();
  options_.synthetic = true;
  EXPECT_THAT(data_failure([&] { run(); }), HasSubstr("1500 + 250 MNIST"));
  EXPECT_EQ(file(), real);
}

TEST_F(Prepare, ADifferentCountIsADifferentFile) {
  run();
  options_.train_count = 1600;
  EXPECT_THAT(data_failure([&] { run(); }), HasSubstr("1600 + 250"));
}

TEST_F(Prepare, OnlyRegularFilesAreReplaced) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink(pipe, folder_ / "link");
  for (const bool force : {false, true})
    for (const fs::path& out : {pipe, folder_ / "link", folder_.path()}) {
      options_.out = out;
      options_.force = force;
      EXPECT_THAT(data_failure([&] { run(); }), HasSubstr("is not a regular file"));
    }
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(Prepare, AFileThatCannotBeWrittenIsNamed) {
  write_file_atomically(folder_ / "made", "a file where a folder should be");
  EXPECT_THAT(data_failure([&] { run(); }), HasSubstr("made"));
}

}  // namespace
}  // namespace mnist_dist
