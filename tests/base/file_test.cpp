#include "base/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <system_error>
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

TEST(File, WritesThroughLinksAlsoWhenNothingIsBehindThem) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "disk");
  fs::create_symlink("disk/file", folder / "link");
  fs::create_symlink(folder / "link", folder / "link_to_link");
  for (const char* text : {"first", "second"}) {
    write_file_atomically(folder / "link_to_link", text);
    EXPECT_EQ(read_text_file(folder / "disk/file"), text);
    EXPECT_TRUE(fs::is_symlink(folder / "link_to_link"));
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
  }
  EXPECT_EQ(names_in(folder / "disk"), std::vector<std::string>{"file"});
}

TEST(File, AFileThatEndsEarlyIsNotGivenAnOlderError) {
  const fs::path shorter = "/sys/devices/system/cpu/online";  // says 4096 bytes, has a few
  std::error_code error;
  if (fs::file_size(shorter, error) < 100 || error) GTEST_SKIP() << "no such file here";
  errno = ENOENT;
  try {
    read_file(shorter);
    FAIL() << "read more than there is";
  } catch (const Error& failure) {
    EXPECT_EQ(std::string(failure.what()), "cannot read " + shorter.string() + ": Input/output error");
  }
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
