#include "base/arithmetic.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <thread>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// Whether this thread's arithmetic is found wrong.
bool refused() {
  try {
    check_arithmetic();
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::device);
    return true;
  }
}

TEST(Arithmetic, IsRightAsThisProgramWasBuilt) { EXPECT_FALSE(refused()); }

TEST(Arithmetic, ADifferentRoundingIsRejectedOnTheThreadThatHasIt) {
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    bool here = false;
    std::thread([&] {
      std::fesetround(mode);
      here = refused();
    }).join();
    EXPECT_TRUE(here) << mode;
    EXPECT_FALSE(refused());
  }
}

#if defined(__x86_64__)
TEST(Arithmetic, FlushedResultsAndOperandsAreRejected) {
  for (const unsigned bits : {0x8000u, 0x0040u}) {  // FTZ, DAZ
    bool here = false;
    std::thread([&] {
      __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | bits);
      here = refused();
    }).join();
    EXPECT_TRUE(here) << bits;
  }
}
#endif

}  // namespace
}  // namespace mnist_dist
