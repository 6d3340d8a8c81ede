#include "train/local_data.h"

#include <gtest/gtest.h>

#include <set>

#include "data/dataset_writer.h"
#include "data/synthetic.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

constexpr int rows = 65;

class LocalRowsOfAFile : public testing::Test {
 protected:
  LocalRowsOfAFile() {
    config_.data.file = (folder_ / "data.h5").string();
    config_.data.shards = 4;
    config_.train.batch = 8;
    all_ = synthetic_digits(1, SyntheticSet::train, rows);
    write_dataset(config_.data.file, {.train = all_,
                                      .test = synthetic_digits(1, SyntheticSet::test, 10),
                                      .source = "drawn",
                                      .synthetic = true,
                                      .payload_sha256 = {}});
  }

  LocalData load(std::vector<int> split, std::uint64_t seed = 1, int rank = 0, int ranks = 1) {
    config_.data.split = std::move(split);
    config_.train.seed = seed;
    return load_local_data(config_, Dataset(config_.data.file), rank, ranks);
  }

  /// The file's rows of the images, in their order, by their pixels.
  std::vector<int> file_rows(const std::vector<ImagesView>& parts) const {
    std::vector<int> found;
    for (const ImagesView& part : parts)
      for (int i = 0; i < part.count(); ++i)
        for (int row = 0; row < rows; ++row)
          if (std::equal(part.image(i), part.image(i) + part.image_pixels(), all_.image(row)))
            found.push_back(row);
    return found;
  }

  TemporaryFolder folder_;
  Config config_;
  Images all_;
};

std::vector<int> from_to(int first, int last) {
  std::vector<int> numbers;
  for (int i = first; i < last; ++i) numbers.push_back(i);
  return numbers;
}

TEST_F(LocalRowsOfAFile, ABlockIsScoredOnAndAllOthersAreTrainedOn) {
  for (int block = 1; block <= 6; ++block) {
    const LocalData data = load({50, 10, block});
    EXPECT_EQ(file_rows(data.evaluation), from_to(10 * (block - 1), 10 * block));
    EXPECT_EQ(data.evaluation.front().first_row, 10 * (block - 1)) << "a row of the file";
    std::vector<int> expected = from_to(0, 10 * (block - 1));
    for (const int row : from_to(10 * block, rows)) expected.push_back(row);
    expected.resize(50);
    EXPECT_EQ(file_rows(data.training), expected);
    int next = 0;  // draws are keyed by rows counted without the block
    for (const ImagesView& shard : data.training) {
      EXPECT_EQ(shard.first_row, next);
      next += shard.count();
    }
    EXPECT_EQ(next, 50);
  }
}

TEST_F(LocalRowsOfAFile, WithoutABlockTheLastRowsAreScoredOn) {
  const LocalData data = load({50, 10});
  EXPECT_EQ(file_rows(data.evaluation), from_to(55, 65));
  EXPECT_EQ(file_rows(data.training), from_to(0, 50));
}

TEST_F(LocalRowsOfAFile, BlockZeroTakesTurnsBySeed) {
  for (const auto& [seed, block] : {std::pair{1U, 1}, {2U, 2}, {6U, 6}, {7U, 1}, {0U, 6}})
    EXPECT_EQ(file_rows(load({50, 10, 0}, seed).evaluation), from_to(10 * (block - 1), 10 * block))
        << seed;
  EXPECT_TRUE(rows_follow_seed(config_));
  config_.data.split = {50, 10, 1};
  EXPECT_FALSE(rows_follow_seed(config_));
}

TEST_F(LocalRowsOfAFile, RanksTogetherHaveTheRowsOfOne) {
  const LocalData whole = load({50, 10, 2});
  std::vector<int> together;
  for (int rank = 0; rank < 3; ++rank) {
    const LocalData part = load({50, 10, 2}, 1, rank, 3);
    for (const int row : file_rows(part.training)) together.push_back(row);
  }
  EXPECT_EQ(together, file_rows(whole.training));
}

TEST_F(LocalRowsOfAFile, ASplitThatDoesNotFitTheFileIsRejected) {
  for (const std::vector<int>& split :
       {std::vector{60, 10}, {50, 10, 7}, {56, 10, 1}, {1'000'000'000, 1'000'000'000, 0}}) {
    SCOPED_TRACE(split[0]);
    usage_failure([&] { load(split); });
  }
}

}  // namespace
}  // namespace mnist_dist
