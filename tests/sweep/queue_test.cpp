#include "sweep/queue.h"

#include <gmock/gmock.h>

#include <fstream>
#include <numeric>
#include <set>

#include "base/error.h"
#include "sweep/places.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

struct QueueTest : testing::Test {
  TemporaryFolder sweep;
  QueueTest() {
    fs::create_directory(sweep / "rows");
    fs::create_directory(sweep / "runs");
  }
  SeedQueue queue(const std::vector<std::uint64_t>& seeds) { return {sweep.path(), seeds, {}}; }
  void end(std::uint64_t seed) {
    fs::create_directories(row_file(sweep.path(), seed).parent_path());
    std::ofstream(row_file(sweep.path(), seed)) << "row";
  }
};

TEST_F(QueueTest, GivesTheSeedsOfABlockInTheirOrder) {
  SeedQueue seeds = queue({5, 1, 9});
  for (const std::uint64_t expected : {5u, 1u, 9u}) {
    EXPECT_FALSE(seeds.finished());
    auto claim = seeds.next();
    ASSERT_TRUE(claim);
    EXPECT_EQ(claim->seed, expected);
    EXPECT_EQ(claim->folder, sweep / ("runs/seed" + std::to_string(expected)));
    EXPECT_TRUE(claim->lock.in_place());
    end(expected);
  }
  EXPECT_FALSE(seeds.next());
  EXPECT_TRUE(seeds.finished());
}

TEST_F(QueueTest, LeavesOutSeedsWithRows) {
  end(1);
  SeedQueue seeds = queue({0, 1, 2, 3});
  EXPECT_EQ(seeds.next()->seed, 0u);
  end(2);  // after the block was listed
  EXPECT_EQ(seeds.next()->seed, 3u);
}

TEST_F(QueueTest, GivesOneSeedToOneWorkerOnly) {
  SeedQueue a = queue({0, 1}), b = queue({0, 1});
  auto first = a.next(), second = b.next();
  EXPECT_EQ(first->seed, 0u);
  EXPECT_EQ(second->seed, 1u);
  EXPECT_FALSE(a.next());
  EXPECT_FALSE(a.finished()) << "the other worker may die";
  second.reset();  // without a row
  EXPECT_EQ(a.next()->seed, 1u);
  end(0);
  end(1);
  EXPECT_FALSE(b.next());
  EXPECT_TRUE(b.finished());
}

TEST_F(QueueTest, GivesASeedAgainThatWasPutBack) {
  SeedQueue seeds = queue({4});
  EXPECT_EQ(seeds.next()->seed, 4u);  // and lets go of it
  seeds.put_back(4);
  EXPECT_FALSE(seeds.finished());
  EXPECT_EQ(seeds.next()->seed, 4u);
}

TEST_F(QueueTest, TwoWorkersBeginInDifferentBlocks) {
  std::vector<std::uint64_t> seeds(100'000);
  std::iota(seeds.begin(), seeds.end(), 0);
  std::set<std::uint64_t> blocks;
  for (int worker = 0; worker < 8; ++worker) blocks.insert(block_of(queue(seeds).next()->seed));
  EXPECT_GT(blocks.size(), 1u);
}

TEST_F(QueueTest, GivesEverySeedOfManyBlocks) {
  std::vector<std::uint64_t> seeds{1, 5000, 7, 1'000'000, 5001};
  SeedQueue all = queue(seeds);
  std::set<std::uint64_t> given;
  while (auto claim = all.next()) {
    EXPECT_TRUE(given.insert(claim->seed).second);
    end(claim->seed);
  }
  EXPECT_TRUE(all.finished());
  EXPECT_EQ(given, std::set<std::uint64_t>(seeds.begin(), seeds.end()));
}

TEST_F(QueueTest, MakesNoFolderInPlaceOfOneThatWasMovedAway) {
  SeedQueue seeds = queue({0, 1});
  EXPECT_TRUE(seeds.next());
  fs::remove_all(sweep.path());
  EXPECT_THROW(seeds.next(), Error);
  EXPECT_FALSE(fs::exists(sweep.path()));
}

}  // namespace
}  // namespace mnist_dist
