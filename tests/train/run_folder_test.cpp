#include "train/run_folder.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

Config recipe() { return parse_config("[model]\nname = \"tiny\"\nlayer = [{ linear = 10 }]\n", "tiny.toml"); }

Checkpoint begun(const Config& config) {
  Checkpoint checkpoint;
  checkpoint.recipe = recipe_toml(config);
  checkpoint.seed = config.train.seed;
  return checkpoint;
}

/// What resume_point throws, "" when it throws nothing.
std::string refusal(const fs::path& folder, const Config& config) {
  try {
    resume_point(folder, config);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(RunFolder, ACheckpointFromBeforeAKeyWasAddedIsOfTheSameRecipe) {
  const TemporaryFolder folder;
  Checkpoint old = begun(recipe());
  const std::string key = "label_smoothing = 0.0\n";
  const auto where = old.recipe.find(key);
  ASSERT_NE(where, std::string::npos) << old.recipe;
  old.recipe.erase(where, key.size());
  save_checkpoint(folder.path() / "run", old);
  EXPECT_EQ(refusal(folder.path() / "run", recipe()), "");
  EXPECT_EQ(newest_unfinished_run(folder.path(), recipe()), folder.path() / "run");
  Config other = recipe();
  other.train.label_smoothing = 0.1;
  EXPECT_THAT(refusal(folder.path() / "run", other), testing::HasSubstr("it has \"label_smoothing = 0.0\", asked for is \"label_smoothing = 0.1\""));
}

TEST(RunFolder, ARunKilledBeforeItsFirstCheckpointBeginsAgain) {
  const TemporaryFolder folder;
  { const FolderLock lock = create_run_folder(folder.path(), recipe()); }
  write_file_atomically(folder.path() / "metrics.csv", "epoch\n");
  EXPECT_FALSE(resume_point(folder.path(), recipe()));
  Config other = recipe();
  other.train.seed = 2;
  EXPECT_THAT(refusal(folder.path(), other), testing::HasSubstr("a run with seed 1, not 2"));
  other = recipe();
  other.train.epochs = 3;
  EXPECT_THAT(refusal(folder.path(), other), testing::HasSubstr("another recipe"));
  write_file_atomically(folder.path() / "summary.json", "{}");
  EXPECT_THAT(refusal(folder.path(), recipe()), testing::HasSubstr("holds no checkpoint")) << "a run whose checkpoints were removed is kept";
}

TEST(RunFolder, GoingOnRemovesWhatAKilledProcessWasWriting) {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), begun(recipe()));
  for (const char* name : {"checkpoint.next.tmp", "checkpoint.next.tmp.tmp123", "metrics.csv.tmp123", "notes.tmp"})
    write_file_atomically(folder.path() / name, "half");
  EXPECT_TRUE(resume_point(folder.path(), recipe()));
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder.path())) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::UnorderedElementsAre("checkpoint.h5", "notes.tmp"));
}

TEST(RunFolder, RunsThatStartInTheSameSecondHaveFoldersOfTheirOwn) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const fs::path first = make_default_folder(recipe()), second = make_default_folder(recipe());
  EXPECT_NE(first, second);
  EXPECT_TRUE(fs::is_directory(first) && fs::is_directory(second)) << "taken at once, not when the first file is written";
  fs::current_path(before);
}

TEST(RunFolder, IsLockedBeforeItIsLookedAt) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  const FolderLock first = create_run_folder(run, recipe());
  Config other = recipe();
  other.train.epochs = 3;
  fs::remove(run / "config.toml");  // as if the first were still about to write it
  try {
    const FolderLock second = create_run_folder(run, other);
    FAIL() << "two runs in one folder";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("another process is working in"));
  }
  EXPECT_TRUE(fs::is_empty(run)) << "the second one wrote nothing";
}

}  // namespace
}  // namespace mnist_dist
