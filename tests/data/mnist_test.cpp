// On the real MNIST of the source tree.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/share.h"
#include "data/dataset.h"
#include "data/mnist_files.h"
#include "data/payload.h"
#include "data/prepare.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const Progress silent = [](const std::string&) {};

class RealMnist : public testing::Test {
 protected:
  /// A folder with links to the real files but for one, which is a changed copy.
  fs::path with_changed(std::size_t file,
                        const std::function<void(std::vector<std::byte>&)>& change) {
    const fs::path folder = folder_ / "changed";
    fs::remove_all(folder);
    fs::create_directories(folder);
    std::vector<fs::path> paths;
    for (const auto& candidates : find_mnist(raw_, silent).files.candidates)
      paths.push_back(candidates.front());
    for (std::size_t i = 0; i < mnist_files.size(); ++i)
      if (i != file) fs::create_symlink(paths[i], folder / paths[i].filename());
    auto payload = read_payload(paths[file], mnist_files[file].bytes);
    change(payload);
    write_file_atomically(folder / mnist_files[file].name, payload);
    return folder;
  }

  TemporaryFolder folder_;
  const fs::path raw_ = share_folders().front() / "data/mnist";
};

TEST_F(RealMnist, IsPrepared) {
  PrepareOptions options;
  options.out = folder_ / "mnist.h5";
  options.raw = raw_;
  const PrepareResult result = prepare(options, silent);
  EXPECT_EQ(result.source, "MNIST from " + raw_.string());
  EXPECT_FALSE(result.synthetic);
  EXPECT_EQ(result.train_rows, 60000);
  EXPECT_EQ(result.test_rows, 10000);
  EXPECT_THAT(result.train_classes,
              ElementsAre(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949));
  EXPECT_THAT(result.test_classes,
              ElementsAre(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009));
  EXPECT_EQ(result.mean, 0.1307f);
  EXPECT_EQ(result.sd, 0.3081f);
  // A change here changes every run's bits: the format version goes up with it.
  EXPECT_EQ(result.hash, "64e77be346d4a4da65b8b69dca50e8b4cb6aca883149677d196c80e6bbfef9da");
  EXPECT_TRUE(prepare(options, silent).kept);

  // Every shard of the shuffled rows is a fair sample: 6,000 rows hold 592 ones and more, give or
  // take four standard deviations.
  const Images shard = Dataset(options.out).train({12000, 18000});
  EXPECT_NEAR(std::ranges::count(shard.labels, 1), 674, 100);
  EXPECT_NEAR(std::ranges::count(shard.labels, 5), 542, 90);
}

TEST_F(RealMnist, DamagedFilesAreRejectedByName) {
  const auto failure = [&](std::size_t file,
                           const std::function<void(std::vector<std::byte>&)>& change) {
    const fs::path folder = with_changed(file, change);
    return data_failure([&] { read_mnist(find_mnist(folder, silent), silent); });
  };
  EXPECT_THAT(failure(0, [](auto& bytes) { bytes[1'000'000] ^= std::byte{1}; }),
              HasSubstr("train-images-idx3-ubyte: wrong SHA-256"));
  EXPECT_THAT(failure(2, [](auto& bytes) { bytes.pop_back(); }),
              HasSubstr("t10k-images-idx3-ubyte: truncated"));
  EXPECT_THAT(failure(1, [](auto& bytes) { bytes[8 + 123] = std::byte{10}; }),
              HasSubstr("train-labels-idx1-ubyte: row 123"));
}

TEST_F(RealMnist, OfTwoFormsOfAFileTheWholeOneIsRead) {
  const fs::path folder = with_changed(3, [](auto& bytes) { bytes[100] ^= std::byte{1}; });
  fs::create_symlink(raw_ / "t10k-labels-idx1-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz");
  std::vector<std::string> lines;
  const Mnist mnist = read_mnist(find_mnist(folder, silent),
                                 [&](const std::string& line) { lines.push_back(line); });
  EXPECT_EQ(mnist.test.count(), 10000);
  EXPECT_THAT(lines, ElementsAre(testing::AllOf(HasSubstr("t10k-labels-idx1-ubyte: "),
                                                HasSubstr("t10k-labels-idx1-ubyte.gz"))));
}

}  // namespace
}  // namespace mnist_dist
