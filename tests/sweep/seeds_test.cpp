#include "sweep/seeds.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;

TEST(Seeds, RangesAndListsInTheOrderWritten) {
  EXPECT_THAT(parse_seeds("7"), ElementsAre(7));
  EXPECT_THAT(parse_seeds("0..3"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(parse_seeds("9,2..4,0"), ElementsAre(9, 2, 3, 4, 0));
  EXPECT_THAT(parse_seeds("1..3,2..4"), ElementsAre(1, 2, 3, 4)) << "each once";
  EXPECT_THAT(parse_seeds("9223372036854775807"), ElementsAre(9223372036854775807u));
}

TEST(Seeds, RefusesEverythingElse) {
  for (const char* text : {"", ",", "1,", "3..1", "..", "1..", "a", "1-5", "-1", "1 2", "0..1000000", "9223372036854775808"})
    EXPECT_THROW(parse_seeds(text), Error) << text;
}

}  // namespace
}  // namespace mnist_dist
