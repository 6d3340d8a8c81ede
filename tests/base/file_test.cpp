#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <vector>

#include "failures.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

TEST(File, ReadsItsOwnOutput) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "first, and longer");
  write_file_atomically(folder / "a", "second");
  EXPECT_EQ(read_text_file(folder / "a"), "second");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});  // no temporary file stays
}

TEST(File, MakesNoFolderThatMayHaveBeenMovedAway) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_file_atomically(folder / "x/y/z", "deep"), Error);
  EXPECT_FALSE(fs::exists(folder / "x"));
  make_folders(folder / "x/y");
  make_folders(folder / "x/y");
  write_file_atomically(folder / "x/y/z", "deep");
  EXPECT_EQ(read_text_file(folder / "x/y/z"), "deep");
  EXPECT_THROW(make_folders(folder / "x/y/z"), Error);
}

TEST(File, LeftoversOfTheDeadGoAndThoseOfTheLivingStay) {
  const TemporaryFolder folder;
  constexpr std::array<std::string_view, 2> names{"seeds.csv", "checkpoint."};
  const auto make = [&](const std::string& name) { write_file_atomically(folder / name, "half"); };
  const std::string living = ".tmp" + std::to_string(::getppid()), dead = ".tmp999999999",
                    elsewhere = ".tmp999999999.0123abcd";
  for (const std::string& suffix : {living, dead, elsewhere})
    make("seeds.csv" + suffix), make("notes" + suffix);
  make(temporary_name("checkpoint.h5").string());  // an earlier process with the id of this one
  make("seeds.csv");
  const auto there = [&] {
    auto sorted = names_in(folder.path());
    std::ranges::sort(sorted);
    return sorted;
  };
  auto left = std::vector<std::string>{"notes" + living, "notes" + dead, "notes" + elsewhere,
                                       "seeds.csv", "seeds.csv" + living};
  std::ranges::sort(left);
  remove_leftovers_in(folder.path(), names);
  EXPECT_EQ(there(), left);

  remove_leftovers_beside(folder / "notes");
  std::erase(left, "notes" + dead);
  EXPECT_EQ(there(), left) << "what another host may be writing stays where nothing is locked";
  fs::last_write_time(folder / ("notes" + elsewhere),
                      fs::file_time_type::clock::now() - std::chrono::hours(25));
  remove_leftovers_beside(folder / "notes");
  std::erase(left, "notes" + elsewhere);
  EXPECT_EQ(there(), left);
  EXPECT_TRUE(is_temporary("seeds.csv.tmp1", names));
  for (const char* other :
       {"seeds.csv.tmp", "seeds.csv.tmp1x", "seeds.csv.tmp1.0123", "tmp1", ".tmp1", "seeds.csv"})
    EXPECT_FALSE(is_temporary(other, names)) << other;
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
  EXPECT_EQ(data_failure([&] { read_file(shorter); }),
            "cannot read " + shorter.string() + ": Input/output error");
}

TEST(File, DevicesPipesAndFoldersAreNotReplaced) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  fs::create_directory(folder.path() / "folder");
  for (const char* name : {"pipe", "folder"}) {
    const fs::path path = folder.path() / name;
    const auto kind = fs::status(path).type();
    data_failure([&] { AtomicFile file(path); });
    data_failure([&] { write_file_atomically(path, std::string_view("text")); });
    EXPECT_EQ(fs::status(path).type(), kind);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2);
}

TEST(File, MissingFileIsNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(data_failure([&] { read_file(folder / "none"); }),
            "cannot read " + (folder / "none").string() + ": No such file or directory");
}

TEST(File, FailedWriteKeepsTheOldContentAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "target");  // a folder cannot be replaced by a file
  EXPECT_THROW(write_file_atomically(folder / "target", "text"), Error);
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"target"});
}

TEST(File, NamesTheReasonItCannotWrite) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "text");
  EXPECT_THAT(data_failure([&] { write_file_atomically(folder / "file/inside", "text"); }),
              testing::HasSubstr("Not a directory"));
}

}  // namespace
}  // namespace mnist_dist
