#include "sweep/view.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "base/folder_lock.h"
#include "sweep/places.h"
#include "sweep/records.h"
#include "sweep/row.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

struct ViewTest : testing::Test {
  TemporaryFolder sweep;
  SweepRecord example = sweep_record({9950, -1, 9930, 9940});
  ViewTest() {
    std::filesystem::create_directory(sweep / "rows");
    example.identity.seeds = "0..9,5000";
  }
  void end(std::size_t seed) { write_row(sweep.path(), "test", example.outcomes[seed]); }
  SweepView view() { return {sweep.path(), example.identity}; }
};

TEST_F(ViewTest, CountsRows) {
  end(0);
  SweepView now = view();
  EXPECT_EQ(now.declared(), 11u);
  EXPECT_EQ(now.done(), 1u);
  EXPECT_EQ(now.trained(), 1);
  EXPECT_EQ(now.failures(), 0);
  end(1);
  end(2);
  const auto appeared = now.refresh(true);
  ASSERT_EQ(appeared.size(), 2u);
  EXPECT_TRUE(now.refresh(true).empty());
  EXPECT_EQ(now.done(), 3u);
  EXPECT_EQ(now.done_before(), 1u);
  EXPECT_EQ(now.trained(), 2);
  EXPECT_EQ(now.failures(), 2) << "99.30 % and a seed that diverged";
  EXPECT_DOUBLE_EQ(now.mean(), 99.4);
  EXPECT_DOUBLE_EQ(now.min(), 99.3);
}

TEST_F(ViewTest, SeesWorkersByTheirClaims) {
  for (const char* seed : {"seed3", "seed4", "5xxx/seed5000"})
    std::filesystem::create_directories(sweep / ("runs/" + std::string(seed)));
  const FolderLock a(sweep / "runs/seed3"), b(sweep / "runs/5xxx/seed5000");
  SweepView now = view();
  ASSERT_EQ(now.running().size(), 2u) << "no process works on seed 4";
  EXPECT_EQ(now.running()[0].seed, 3u);
  EXPECT_EQ(now.running()[1].seed, 5000u);
  end(3);
  now.refresh(true);
  EXPECT_EQ(now.running().size(), 1u);
}

TEST_F(ViewTest, NamesADamagedRow) {
  end(0);
  write_file_atomically(row_file(sweep.path(), 0), std::string_view("half"));
  EXPECT_THROW(view(), Error);
}

}  // namespace
}  // namespace mnist_dist
