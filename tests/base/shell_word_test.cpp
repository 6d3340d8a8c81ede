#include "base/shell_word.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace mnist_dist {
namespace {

/// The word as Bash reads it.
std::string read_back(const std::string& word) {
  const std::string script = "bash -c \"$(printf '%s' \"$SCRIPT\")\"";
  ::setenv("SCRIPT", ("printf '%s' " + word).c_str(), 1);
  FILE* pipe = ::popen(script.c_str(), "r");
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0);
  return text;
}

TEST(ShellWord, IsOneWordThatReadsBack) {
  EXPECT_EQ(shell_word("runs/step4-seed1"), "runs/step4-seed1");
  EXPECT_EQ(shell_word(""), "''");
  for (const std::string text : {"my runs/a b", "it's", "$(rm -rf x)", "a;b&c|d", "~/x", "a*[?]",
                                 "B\xC3\xBCro 1", "a\x1b[31m\n'\\", "\xFF"})
    EXPECT_EQ(read_back(shell_word(text)), text);
}

}  // namespace
}  // namespace mnist_dist
