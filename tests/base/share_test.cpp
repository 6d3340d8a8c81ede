#include "base/share.h"

#include <gtest/gtest.h>

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

TEST(Share, FoldersAreBesideTheProgram) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(share_folders(), (std::vector<fs::path>{program / "share/mnist-dist",
                                                    program.parent_path() / "share/mnist-dist"}));
}

TEST(Share, TheBuildFolderLinksToTheSourceTree) {
  EXPECT_TRUE(fs::is_regular_file(find_shared("configs/step3.toml")));
  EXPECT_EQ(find_shared("configs/no-such-recipe.toml"), fs::path());
}

}  // namespace
}  // namespace mnist_dist
