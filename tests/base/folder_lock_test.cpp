#include "base/folder_lock.h"

#include <gtest/gtest.h>

#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

struct FolderLockTest : testing::Test {
  TemporaryFolder temporary;
  fs::path folder = temporary / "run";

  FolderLockTest() { fs::create_directory(folder); }
  static void expect_gone(const FolderLock& lock) {
    data_failure([&] { lock.check_in_place(); });
  }
};

TEST_F(FolderLockTest, OneAtATime) {
  { const FolderLock first(folder); }
  const FolderLock second(folder);
  EXPECT_THROW(FolderLock{folder}, Error);
}

TEST_F(FolderLockTest, FindsItsFolderAlsoByALink) {
  fs::create_directory_symlink(folder, temporary / "link");
  const FolderLock lock(temporary / "link");
  EXPECT_NO_THROW(lock.check_in_place());
  fs::rename(folder, temporary / "elsewhere");
  expect_gone(lock);
}

TEST_F(FolderLockTest, ADifferentFolderInItsPlaceIsNotTheLockedOne) {
  const FolderLock lock(folder);
  fs::remove_all(folder);
  expect_gone(lock);
  fs::create_directory(folder);
  expect_gone(lock);
}

}  // namespace
}  // namespace mnist_dist
