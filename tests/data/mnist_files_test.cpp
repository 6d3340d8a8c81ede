#include "data/mnist_files.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/file.h"
#include "data/idx_files.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
namespace fs = std::filesystem;

/// Works in a folder of its own.
class MnistFiles : public testing::Test {
 protected:
  MnistFiles() {
    fs::current_path(folder_.path());
    ::unsetenv("MNIST_DATA_DIR");
  }
  ~MnistFiles() override { fs::current_path("/"); }

  /// Files with the right names and form, but without the right contents.
  void fill(const fs::path& folder) {
    make_folders(folder);
    write_file_atomically(folder / "train-images-idx3-ubyte", image_idx(4));
    write_file_atomically(folder / "train-labels-idx1-ubyte", label_idx({1, 2, 3, 4}));
    write_gzip(folder / "t10k-images-idx3-ubyte.gz", image_idx(2));
    write_gzip(folder / "t10k-labels-idx1-ubyte.gz", label_idx({5, 6}));
  }
  MnistSource find(const std::optional<fs::path>& raw = {}) {
    return find_mnist(raw, [this](const std::string& line) { lines_.push_back(line); });
  }

  Mnist read(const fs::path& raw) {
    return read_mnist(find(raw), [this](const std::string& line) { lines_.push_back(line); });
  }

  TemporaryFolder folder_;
  std::vector<std::string> lines_;
};

TEST_F(MnistFiles, FindsPlainAndGzipped) {
  fill("here");
  const MnistSource source = find("here");
  EXPECT_THAT(source.files.candidates, ElementsAre(ElementsAre("here/train-images-idx3-ubyte"),
                                                   ElementsAre("here/train-labels-idx1-ubyte"),
                                                   ElementsAre("here/t10k-images-idx3-ubyte.gz"),
                                                   ElementsAre("here/t10k-labels-idx1-ubyte.gz")));
  EXPECT_EQ(source.description, "MNIST from here");
}

TEST_F(MnistFiles, LooksInTheEnvironmentsFolderThenInDataRaw) {
  fill("data/raw");
  EXPECT_EQ(find().description, "MNIST from data/raw");
  fill("elsewhere");
  ::setenv("MNIST_DATA_DIR", "elsewhere", 1);
  EXPECT_EQ(find().description, "MNIST from elsewhere");
  fs::remove("elsewhere/train-labels-idx1-ubyte");
  EXPECT_EQ(find().description, "MNIST from data/raw");
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("elsewhere: train-labels-idx1-ubyte")));
}

TEST_F(MnistFiles, AnEnvironmentThatNamesNoFolderIsAnError) {
  fill("data/raw");
  for (const char* mistyped : {"/nope", "data/raw/train-images-idx3-ubyte"}) {
    ::setenv("MNIST_DATA_DIR", mistyped, 1);
    EXPECT_THAT(data_failure([&] { find(); }),
                AllOf(StartsWith("MNIST_DATA_DIR: "), HasSubstr(mistyped)));
  }
}

TEST_F(MnistFiles, NamesTheMissingFilesOfAGivenFolder) {
  fill("here");
  fill("data/raw");
  fs::remove("here/train-images-idx3-ubyte");
  fs::remove("here/t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(data_failure([&] { find("here"); }),
            "missing in here: train-images-idx3-ubyte, t10k-labels-idx1-ubyte");
}

TEST_F(MnistFiles, TheBoxComesLast) {
  const MnistSource box = find();
  EXPECT_TRUE(box.description.ends_with("data/mnist")) << box.description;
  EXPECT_THAT(lines_, IsEmpty());
  fill("data/raw");
  EXPECT_EQ(find().description, "MNIST from data/raw");
}

TEST_F(MnistFiles, ADataRawWithoutSomeFilesIsNamedAndSkipped) {
  fill("data/raw");
  fs::remove("data/raw/train-labels-idx1-ubyte");
  EXPECT_FALSE(find().description.ends_with("data/raw"));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("data/raw: train-labels-idx1-ubyte")));
}

TEST_F(MnistFiles, FindsTheNamesThatOthersGive) {
  const auto found = [&](const std::string& path) {
    const fs::path folder = folder_ / "foreign";
    fs::remove_all(folder);
    make_folders((folder / path).parent_path());
    write_file_atomically(folder / path, "x");
    return scan_mnist_folder(folder).candidates[3];
  };
  for (const char* path :
       {"t10k-labels.idx1-ubyte", "t10k-labels.idx1-ubyte.gz", "T10K-LABELS-IDX1-UBYTE.GZ",
        "t10k-labels-idx1-ubyte.gz.gz", "t10k-labels-idx1-ubyte.zip",
        "t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte", "MNIST/raw/t10k-labels-idx1-ubyte",
        "t10k-labels.idx1-ubyte/t10k-labels-idx1-ubyte.gz", "raw/t10k-labels-idx1-ubyte.gz",
        "mnist/raw/t10k-labels-idx1-ubyte/t10k-labels.idx1-ubyte"})
    EXPECT_THAT(found(path), ElementsAre(folder_ / "foreign" / path));
  for (const char* path : {"train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz.part",
                           "FashionMNIST/raw/t10k-labels-idx1-ubyte"})
    EXPECT_THAT(found(path), IsEmpty()) << path;
  // A folder of that name without the file is named later, when it cannot be read.
  EXPECT_THAT(found("t10k-labels-idx1-ubyte/readme"),
              ElementsAre(folder_ / "foreign/t10k-labels-idx1-ubyte"));
}

TEST_F(MnistFiles, LinksThatLeadInACircleEnd) {
  fs::create_directory("here");
  fs::create_directory_symlink(".", "here/raw");
  EXPECT_THAT(scan_mnist_folder("here").missing().size(), 4u);
}

TEST_F(MnistFiles, OtherContentsAreRejectedByChecksumAndByForm) {
  fill("here");
  EXPECT_THAT(data_failure([&] { read("here"); }),
              HasSubstr("here/train-images-idx3-ubyte: wrong SHA-256"));
  EXPECT_THAT(data_failure([&] { read("here"); }), HasSubstr("expected ba891046e6505d7a"));
  write_file_atomically("here/train-images-idx3-ubyte", image_idx(4).substr(0, 1000));
  EXPECT_THAT(data_failure([&] { read("here"); }),
              HasSubstr("here/train-images-idx3-ubyte: truncated"));
}

}  // namespace
}  // namespace mnist_dist
