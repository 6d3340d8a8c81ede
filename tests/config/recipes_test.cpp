#include "config/recipes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "base/file.h"
#include "recipe_text.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

TEST(Recipes, TheFirstFolderWins) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) make_folders(folder / name);
  write_file_atomically(folder / "a/mine.toml", tiny);
  write_file_atomically(folder / "b/mine.toml", tiny);
  write_file_atomically(folder / "b/other.toml", tiny);
  const std::vector<std::string> folders{(folder / "missing").string(), (folder / "a").string(),
                                         (folder / "b").string()};
  EXPECT_EQ(find_recipe("mine", folders), (folder / "a/mine.toml").string());
  EXPECT_EQ(find_recipe("other", folders), (folder / "b/other.toml").string());
  EXPECT_EQ(find_recipe((folder / "b/mine.toml").string(), folders),
            (folder / "b/mine.toml").string());
  EXPECT_EQ(load_config("mine", {"train.epochs=2"}, folders).name, "mine");
}

TEST(Recipes, MissingOnesNameTheNearest) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "step3.toml", tiny);
  const std::vector<std::string> folders{folder.path().string()};
  const auto rejected = [&](const char* name) {
    return usage_error_text([&] { find_recipe(name, folders); });
  };
  EXPECT_THAT(rejected("setp3"), HasAll("\"setp3\"", "did you mean step3?"));
  EXPECT_THAT(rejected("resnet"), HasAll("\"resnet\"", "use one of: step3"));
  EXPECT_THAT(rejected("nowhere/x.toml"), HasAll("nowhere/x.toml", "step3"));
}

TEST(Recipes, AFileMayBeAPipe) {
  const TemporaryFolder folder;
  const std::string pipe = (folder / "pipe.toml").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_EQ(find_recipe(pipe, {}), pipe);  // else the writer would wait for ever
  std::jthread writer([&] { std::ofstream(pipe) << tiny; });
  EXPECT_EQ(load_config(pipe, {}, {}).model.layers.size(), 1u);
  const std::string path = folder.path().string();
  EXPECT_THAT(usage_failure([&] { find_recipe(path, {}); }), HasAll(path, "got a folder"));
  EXPECT_THAT(usage_failure([&] { find_recipe("/dev/zero", {}); }),
              HasAll("/dev/zero", "a device"));
}

TEST(Recipes, AChangedOneIsTitledModified) {
  const Config step3 = load_config("step3", {}, recipe_folders());
  EXPECT_EQ(recipe_title(step3), "step3");
  EXPECT_EQ(
      recipe_title(load_config("step3", {"train.seed=9", "data.file=x.h5"}, recipe_folders())),
      "step3");
  const Config changed = load_config("step3", {"train.epochs=2"}, recipe_folders());
  EXPECT_EQ(recipe_title(changed), "step3 (modified)");
  EXPECT_EQ(recipe_title(parse_config(to_toml(changed), "config.toml")), "step3 (modified)")
      << "also when it comes back from a run's folder";
  EXPECT_EQ(recipe_name(recipe_title(changed)), "step3");
  const Config own = parse_config(std::string(tiny), "own.toml");
  EXPECT_EQ(recipe_title(own), "own");
  EXPECT_EQ(recipe_title(parse_config(std::string(tiny), "own.toml", {"train.epochs=2"}), &own),
            "own (modified)");
}

TEST(Recipes, TheSourceTreesOwnAreFound) {
  EXPECT_EQ(load_config("step3", {}, recipe_folders()).name, "step3");
}

}  // namespace
}  // namespace mnist_dist
