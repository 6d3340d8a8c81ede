#include "comm/tree_gather.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace mnist_dist {
namespace {

TEST(TreeGather, RefusesSizesThatMpiCannotCount) {
  EXPECT_THROW(TreeGather(0, 1, 4, std::size_t{1} << 60), Error);
}

}  // namespace
}  // namespace mnist_dist
