#include "base/file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

TEST(File, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "first, and longer");
  write_file_atomically(folder / "a", "second");
  EXPECT_EQ(read_text_file(folder / "a"), "second");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});  // no temporary file stays
}

TEST(File, MakesMissingFolders) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x/y/z", "deep");
  EXPECT_EQ(read_text_file(folder / "x/y/z"), "deep");
}

TEST(File, MissingFileIsNamed) {
  const TemporaryFolder folder;
  try {
    read_file(folder / "none");
    FAIL() << "read a file that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_EQ(std::string(error.what()), "cannot read " + (folder / "none").string() + ": No such file or directory");
  }
}

TEST(File, FailedWriteKeepsTheOldContentAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "target");  // a folder cannot be replaced by a file
  EXPECT_THROW(write_file_atomically(folder / "target", "text"), Error);
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"target"});
}

TEST(File, SaysWhyItCannotWrite) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "text");
  try {
    write_file_atomically(folder / "file/inside", "text");
    FAIL() << "wrote into a file as if it were a folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_NE(std::string(error.what()).find("Not a directory"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace mnist_dist
