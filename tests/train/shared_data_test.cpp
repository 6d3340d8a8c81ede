// Run by 1 to 4 ranks (tests/comm/mpi_test_main.cpp).
#include "train/shared_data.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>

#include "base/file.h"
#include "comm/broadcast_text.h"
#include "comm/mpi_test.h"
#include "data/dataset_writer.h"
#include "data/synthetic.h"
#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

/// Bytes that this process has asked files for so far.
std::size_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::size_t bytes = 0;
  io >> name >> bytes;
  EXPECT_EQ(name, "rchar:");
  return bytes;
}

std::vector<ImagesView> parts_of(const LocalData& data) {
  std::vector<ImagesView> parts = data.training;
  parts.insert(parts.end(), data.evaluation.begin(), data.evaluation.end());
  return parts;
}

/// One data file for all ranks.
class SharedData : public testing::Test {
 protected:
  static constexpr int rows = 2000, test_rows = 300;
  static constexpr std::size_t size = (rows + test_rows) * image_size;

  SharedData() {
    if (test_world().rank() == 0) {
      folder_.emplace();
      file_ = *folder_ / "data.h5";
      write_dataset(file_, {.train = synthetic_digits(1, SyntheticSet::train, rows),
                            .test = synthetic_digits(1, SyntheticSet::test, test_rows),
                            .source = "drawn",
                            .synthetic = true,
                            .payload_sha256 = {}});
    }
    file_ = broadcast_text(test_world(), file_.string());
    config_.data.file = file_.string();
    config_.data.shards = 5;
    config_.train.batch = 50;
  }
  ~SharedData() override { test_world().barrier(); }

  std::unique_ptr<Communicator> group_of(int ranks) const {
    return test_world().split(test_world().rank() / ranks);
  }

  /// The data as they are shared are those that each rank would read by itself.
  void expect_own_rows(const LocalData& data, const Communicator& group) const {
    const LocalData own = load_local_data(config_, Dataset(file_), group.rank(), group.size());
    EXPECT_EQ(data.first_shard, own.first_shard);
    EXPECT_EQ(data.training_rows, own.training_rows);
    EXPECT_EQ(data.evaluation_rows, own.evaluation_rows);
    EXPECT_EQ(data.training.size(), own.training.size());
    const auto parts = parts_of(data), expected = parts_of(own);
    ASSERT_EQ(parts.size(), expected.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].first_row, expected[i].first_row);
      EXPECT_EQ(parts[i].side, expected[i].side);
      EXPECT_TRUE(std::ranges::equal(parts[i].pixels, expected[i].pixels)) << "part " << i;
      EXPECT_TRUE(std::ranges::equal(parts[i].labels, expected[i].labels)) << "part " << i;
    }
  }

  std::optional<TemporaryFolder> folder_;
  std::filesystem::path file_;
  Config config_;
};

TEST_F(SharedData, IsReadOncePerHost) {
  const auto group = group_of(1);
  const Dataset dataset(file_);
  const std::size_t before = bytes_read();
  const LocalData data = load_shared_data(test_world(), *group, config_, dataset);
  const std::size_t read = bytes_read() - before;
  if (test_world().rank() == 0)
    EXPECT_GT(read, size) << "pixels are not compressed";
  else
    EXPECT_LT(read, size / 10);
  EXPECT_EQ(data.shared.has_value(), test_world().size() > 1);
  EXPECT_EQ(data.own.empty(), test_world().size() > 1);
  expect_own_rows(data, *group);
}

TEST_F(SharedData, GroupsOfSeveralRanksShareTheirPartsAsWell) {
  const auto group = group_of(2);
  const LocalData data = load_shared_data(test_world(), *group, config_, Dataset(file_));
  EXPECT_EQ(data.shared.has_value(), test_world().size() == 4)
      << "3 ranks are groups of 2 and of 1";
  expect_own_rows(data, *group);
}

TEST_F(SharedData, RanksThatTrainTogetherHaveNothingToShare) {
  const auto group = group_of(test_world().size());
  const LocalData data = load_shared_data(test_world(), *group, config_, Dataset(file_));
  EXPECT_FALSE(data.shared);
  expect_own_rows(data, *group);
}

TEST_F(SharedData, IsReadByEachRankWhereTheHostCannotShareIt) {
  const auto group = group_of(1);
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &usual), 0);
  const rlimit small{1000, usual.rlim_max};
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const LocalData data = load_shared_data(test_world(), *group, config_, Dataset(file_));
  setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, before);
  EXPECT_FALSE(data.shared);
  expect_own_rows(data, *group);
}

TEST_F(SharedData, OfADamagedFileOneRankComplains) {
  if (test_world().rank() == 0) {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file_) / 2));
    file << std::string(5000, '\x55');
  }
  test_world().barrier();
  const auto group = group_of(1);
  const Error error = failure(
      ExitCode::data, [&] { load_shared_data(test_world(), *group, config_, Dataset(file_)); });
  EXPECT_EQ(error.is_on_all_ranks(), test_world().size() > 1);
}

}  // namespace
}  // namespace mnist_dist
