#include "train/run_folder.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "failures.h"
#include "model/layout.h"
#include "temporary_folder.h"
#include "train/metrics.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

Config recipe() {
  return parse_config("[model]\nname = \"tiny\"\nlayer = [{ linear = 10 }]\n", "tiny.toml");
}

Checkpoint begun(const Config& config) {
  Checkpoint checkpoint;
  checkpoint.recipe = recipe_toml(config);
  checkpoint.seed = config.train.seed;
  checkpoint.state.parameters.resize(flat_layout(config.model).parameter_count);
  checkpoint.state.momentum = checkpoint.state.parameters;
  return checkpoint;
}

/// The error of resume_point.
std::string rejection(const fs::path& folder, const Config& config) {
  return usage_failure([&] { resume_point(folder, config); });
}

TEST(RunFolder, ACheckpointFromBeforeAKeyWasAddedIsOfTheSameRecipe) {
  const TemporaryFolder folder;
  Checkpoint old = begun(recipe());
  const std::string key = "label_smoothing = 0.0\n";
  const auto where = old.recipe.find(key);
  ASSERT_NE(where, std::string::npos) << old.recipe;
  old.recipe.erase(where, key.size());
  fs::create_directory(folder.path() / "run");
  save_checkpoint(folder.path() / "run", old);
  EXPECT_NO_THROW(resume_point(folder.path() / "run", recipe()));
  EXPECT_EQ(newest_unfinished_run(folder.path(), recipe()), folder.path() / "run");
  Config other = recipe();
  other.train.label_smoothing = 0.1;
  EXPECT_THAT(rejection(folder.path() / "run", other),
              HasAll("got \"label_smoothing = 0.1\"", "expected \"label_smoothing = 0.0\""));
}

TEST(RunFolder, ARunKilledBeforeItsFirstCheckpointBeginsAgain) {
  const TemporaryFolder folder;
  { const FolderLock lock = create_run_folder(folder.path(), recipe()); }
  write_file_atomically(folder.path() / "metrics.csv", "epoch\n");
  EXPECT_FALSE(resume_point(folder.path(), recipe()));
  Config other = recipe();
  other.train.seed = 2;
  EXPECT_THAT(rejection(folder.path(), other), HasAll("seed", "got 2", "expected 1"));
  other = recipe();
  other.train.epochs = 3;
  EXPECT_THAT(rejection(folder.path(), other), HasAll("got \"epochs = 3\""));
  write_file_atomically(folder.path() / "summary.json", "{}");
  EXPECT_THAT(rejection(folder.path(), recipe()), HasAll(folder.path().string(), "checkpoint"))
      << "a run whose checkpoints were removed is kept";
}

TEST(RunFolder, WithNothingButLeftoversCountsAsEmpty) {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  const auto leave = [&] {
    fs::remove_all(run);
    fs::create_directory(run);
    for (const char* name : {"config.toml.tmp999999999", ".lease", ".lease.0123456789abcdef",
                             ".lease.0123456789abcdef.tmp999999999.0123abcd"})
      write_file_atomically(run / name, "");
    fs::remove(run / ".lease");  // of a host that cannot be asked
  };
  leave();
  { const FolderLock lock = create_run_folder(run, recipe()); }
  EXPECT_EQ(names_in(run), std::vector<std::string>{"config.toml"});
  leave();
  EXPECT_FALSE(resume_point(run, recipe()));
  EXPECT_TRUE(fs::exists(run / "config.toml"));
  leave();
  write_file_atomically(run / "thesis.tex.tmp999999999", "years of work");
  EXPECT_THROW(static_cast<void>(create_run_folder(run, recipe())), Error);
  EXPECT_THAT(rejection(run, recipe()), HasAll(run.string()));
  EXPECT_TRUE(fs::exists(run / "thesis.tex.tmp999999999"));
  EXPECT_THAT(rejection(folder / "missing", recipe()), HasAll((folder / "missing").string()));
  EXPECT_FALSE(fs::exists(folder / "missing"));
}

TEST(RunFolder, AFinishedCheckpointWithoutItsSummaryIsResumed) {
  const TemporaryFolder folder;
  Checkpoint last = begun(recipe());
  last.finished = true;
  save_checkpoint(folder.path(), last);
  const auto found = resume_point(folder.path(), recipe());
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->checkpoint.finished);
  write_file_atomically(folder.path() / "summary.json", "{}");
  EXPECT_THAT(rejection(folder.path(), recipe()), HasAll(folder.path().string(), "finished"));
}

TEST(RunFolder, OfASeedBeginsAgainWithoutACheckpointAndKeepsItsLock) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    EXPECT_FALSE(start_or_resume(folder.path(), recipe()));
    write_file_atomically(folder / "metrics.csv", std::string_view("half"));
    EXPECT_FALSE(start_or_resume(folder.path(), recipe()));
    EXPECT_TRUE(lock.in_place());
    EXPECT_TRUE(has_run_leftovers(folder.path())) << "the lock";
  }
  EXPECT_FALSE(has_run_leftovers(folder.path()));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"config.toml"})
      << "what has no checkpoint begins again";
  save_checkpoint(folder.path(), begun(recipe()));
  EXPECT_TRUE(start_or_resume(folder.path(), recipe()));
}

TEST(RunFolder, OfASeedWhoseRowsAreLostBeginsAgain) {
  const TemporaryFolder folder;
  Checkpoint second = begun(recipe());
  second.epoch = 2;
  fs::create_directory(folder / "seed1");
  save_checkpoint(folder / "seed1", second);
  const auto goes_on_with = [&](std::string_view rows) {
    write_file_atomically(folder / "seed1/metrics.csv", rows);
    return has_rows_of(folder / "seed1", 2);
  };
  EXPECT_FALSE(has_rows_of(folder / "seed1", 2));
  const std::string header = metrics_header("test"), rest = ",0.5,90,,,,0.01,1000,1\n",
                    one = "1" + rest, two = "2" + rest, three = "3" + rest;
  EXPECT_TRUE(goes_on_with(header + one + two + three));
  for (const std::string& rows :
       {std::string(), header, header + one, header + two, header + one + "2\n",
        header + one + three, header + one + "2,inf" + rest.substr(4)})
    EXPECT_FALSE(goes_on_with(rows)) << rows;
  EXPECT_FALSE(start_or_resume(folder / "seed1", recipe()));
  EXPECT_FALSE(fs::exists(folder / "seed1/checkpoint.h5"));
}

TEST(RunFolder, WhoseRecipeWasChangedNamesTheLineToChangeBack) {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), begun(recipe()));
  const auto hint = [&](const Config& asked) {
    return failure(ExitCode::usage, [&] { resume_point(folder.path(), asked); }).hint();
  };
  Config changed = recipe();
  changed.train.epochs = 77;
  EXPECT_THAT(hint(changed), testing::HasSubstr("--set"));
  write_file_atomically(folder / "config.toml", to_toml(changed));
  EXPECT_THAT(hint(changed), testing::AllOf(testing::HasSubstr("config.toml: epochs = "),
                                            testing::Not(testing::HasSubstr("--set"))));
  changed = recipe();
  changed.train.seed = 9;
  EXPECT_THAT(hint(changed), testing::HasSubstr("--seed"));
  write_file_atomically(folder / "config.toml", to_toml(changed));
  EXPECT_THAT(hint(changed), testing::HasSubstr("config.toml: seed = "));
}

TEST(RunFolder, ResumeRemovesTemporaryFilesOfAKilledProcess) {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), begun(recipe()));
  for (const char* name : {"checkpoint.next.tmp", "checkpoint.next.tmp.tmp999999999",
                           "metrics.csv.tmp999999999", "checkpoint.link.tmp", "notes.tmp"})
    write_file_atomically(folder.path() / name, "half");
  EXPECT_TRUE(resume_point(folder.path(), recipe()));
  EXPECT_THAT(names_in(folder.path()), testing::UnorderedElementsAre("checkpoint.h5", "notes.tmp"));
}

TEST(RunFolder, RunsThatStartInTheSameSecondHaveFoldersOfTheirOwn) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const fs::path first = make_default_folder(recipe()), second = make_default_folder(recipe());
  EXPECT_NE(first, second);
  EXPECT_TRUE(fs::is_directory(first) && fs::is_directory(second))
      << "taken at once, not when the first file is written";
  fs::current_path(before);
}

TEST(RunFolder, IsLockedBeforeItIsLookedAt) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  const FolderLock first = create_run_folder(run, recipe());
  Config other = recipe();
  other.train.epochs = 3;
  fs::remove(run / "config.toml");  // as if the first were still about to write it
  EXPECT_THAT(usage_failure([&] { const FolderLock second = create_run_folder(run, other); }),
              testing::HasSubstr("in use"));
  EXPECT_EQ(names_in(run), std::vector<std::string>{".lease"}) << "the second one wrote nothing";
}

}  // namespace
}  // namespace mnist_dist
