#include "sweep/places.h"

#include <gmock/gmock.h>

#include <fstream>

#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(Places, AreSplitByThousands) {
  EXPECT_EQ(row_file("s", 7), "s/rows/0xxx/seed7.csv");
  EXPECT_EQ(row_file("s", 999), "s/rows/0xxx/seed999.csv");
  EXPECT_EQ(row_file("s", 123456), "s/rows/123xxx/seed123456.csv");
  EXPECT_EQ(row_file("s", 1000567), "s/rows/1xxxxxx/000xxx/seed1000567.csv");
  EXPECT_EQ(row_file("s", 9223372036854775807),
            "s/rows/9xxxxxxxxxxxxxxxxxx/223xxxxxxxxxxxxxxx/372xxxxxxxxxxxx/036xxxxxxxxx/854xxxxxx/"
            "775xxx/seed9223372036854775807.csv");
  EXPECT_EQ(seed_run_folder("s", 7), "s/runs/seed7");
  EXPECT_EQ(seed_run_folder("s", 123456), "s/runs/123xxx/seed123456");
}

TEST(Places, ARunFolderOfAnEarlierVersionStaysWhereItIs) {
  const TemporaryFolder sweep;
  fs::create_directories(sweep / "runs/seed123456");
  EXPECT_EQ(seed_run_folder(sweep.path(), 123456), sweep / "runs/seed123456");
}

TEST(Places, AreFoundAgain) {
  const TemporaryFolder sweep;
  EXPECT_TRUE(blocks_with_rows(sweep.path()).empty());
  EXPECT_TRUE(rows_in(sweep.path(), 0).empty());
  for (const std::uint64_t seed :
       {7000ull, 3ull, 1ull, 1234567ull, 1234001ull, 9223372036854775807ull}) {
    fs::create_directories(row_file(sweep.path(), seed).parent_path());
    std::ofstream(row_file(sweep.path(), seed)) << "row";
    fs::create_directories(seed_run_folder(sweep.path(), seed));
  }
  std::ofstream(sweep / "rows/0xxx/seed2.csv.tmp123") << "half";
  std::ofstream(sweep / "rows/0xxx/seed.csv") << "no seed";
  std::ofstream(sweep / "rows/0xxx/seed7001.csv") << "of a different block";
  EXPECT_THAT(blocks_with_rows(sweep.path()), ElementsAre(0, 7, 1234, 9223372036854775));
  EXPECT_THAT(rows_in(sweep.path(), 0), ElementsAre(1, 3));
  EXPECT_THAT(rows_in(sweep.path(), 1234), ElementsAre(1234001, 1234567));
  EXPECT_THAT(runs_in(sweep.path(), 0), ElementsAre(1, 3));
  EXPECT_THAT(runs_in(sweep.path(), 1234), ElementsAre(1234001, 1234567));
  EXPECT_EQ(count_rows(sweep.path()), 6u);
}

}  // namespace
}  // namespace mnist_dist
