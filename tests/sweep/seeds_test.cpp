#include "sweep/seeds.h"

#include <gmock/gmock.h>

#include "failures.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre, testing::HasSubstr;

std::string rejection(const std::string& text) {
  return usage_failure([&] { parse_seeds(text); });
}

TEST(Seeds, RangesAndListsInTheOrderWritten) {
  EXPECT_THAT(parse_seeds("7"), ElementsAre(7));
  EXPECT_THAT(parse_seeds("0..3"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(parse_seeds("9,2..4,0"), ElementsAre(9, 2, 3, 4, 0));
  EXPECT_THAT(parse_seeds("1..3,2..4"), ElementsAre(1, 2, 3, 4)) << "each once";
  EXPECT_THAT(parse_seeds("9223372036854775807"), ElementsAre(9223372036854775807u));
}

TEST(Seeds, RejectsEverythingElse) {
  for (const char* text :
       {"", ",", "1,", "3..1", "..", "1..", "a", "1-5", "-1", "1 2", "9223372036854775808"})
    EXPECT_THAT(rejection(text), HasSubstr(text)) << text;
}

TEST(Seeds, OfTwoTextsAreJoined) {
  EXPECT_EQ(join_seeds("0..9", "3..5"), "0..9");
  EXPECT_EQ(join_seeds("5,1,0", "1"), "5,1,0") << "as it was written";
  EXPECT_EQ(join_seeds("0..99", "100..199"), "0..199");
  EXPECT_EQ(join_seeds("9,2..4,0", "5,7000..7001"), "0,2..5,9,7000..7001");
  EXPECT_EQ(join_seeds("0..1", "9223372036854775807"), "0..1,9223372036854775807");
  EXPECT_THROW(join_seeds("0..999999", "1000000"), Error);
}

TEST(Seeds, TooManyAreRejected) {
  EXPECT_EQ(parse_seeds("0..999999").size(), 1'000'000u);
  for (const char* text : {"0..1000000", "0..999999,1000000"})
    EXPECT_THAT(rejection(text), HasSubstr("1000000")) << text;
}

}  // namespace
}  // namespace mnist_dist
