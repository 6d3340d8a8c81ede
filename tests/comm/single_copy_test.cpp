#include "comm/single_copy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "comm/seccomp.h"

namespace mnist_dist {
namespace {

/// Tests the environment after choose_single_copy in a process that is denied copies. Ends the
/// process: 0 as expected.
[[noreturn]] void choose_where_denied(const char* expected) {
  if (!deny_copies_between_processes()) std::_Exit(77);
  if (can_copy_between_processes()) std::_Exit(1);
  choose_single_copy();
  const char* const value = std::getenv("OMPI_MCA_btl_vader_single_copy_mechanism");
  std::_Exit(value && value == std::string(expected) ? 0 : 2);
}

TEST(SingleCopy, IsLeftAloneWhereItIsAllowed) {
  if (!can_copy_between_processes()) GTEST_SKIP() << "this system forbids it";
  unsetenv("OMPI_MCA_btl_vader_single_copy_mechanism");
  choose_single_copy();
  EXPECT_EQ(std::getenv("OMPI_MCA_btl_vader_single_copy_mechanism"), nullptr);
}

TEST(SingleCopyDeathTest, IsTurnedOffWhereItIsDenied) {
  unsetenv("OMPI_MCA_btl_vader_single_copy_mechanism");
  EXPECT_EXIT(choose_where_denied("none"), testing::ExitedWithCode(0), "");
}

TEST(SingleCopyDeathTest, KeepsTheUsersChoice) {
  setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "emulated", 1);
  EXPECT_EXIT(choose_where_denied("emulated"), testing::ExitedWithCode(0), "");
  unsetenv("OMPI_MCA_btl_vader_single_copy_mechanism");
}

}  // namespace
}  // namespace mnist_dist
