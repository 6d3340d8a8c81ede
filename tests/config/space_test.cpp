#include "config/space.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "recipe_text.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

const char* const two_keys = R"(
recipes = ["step2", "step3"]
[[vary]]
key = "optimizer.learning_rate"
low = 0.01
high = 1
log = true
[[vary]]
key = "average.decay"
values = [0, 0.9, 0.995]
)";

TEST(Space, RecipesAsTheyAreComeFirst) {
  const SearchSpace space = parse_space(two_keys, "space.toml");
  EXPECT_EQ(draw_candidate(space, 1, 0).recipe, "step2");
  EXPECT_EQ(draw_candidate(space, 1, 1).recipe, "step3");
  EXPECT_TRUE(draw_candidate(space, 1, 0).settings.empty());
  EXPECT_EQ(draw_candidate(space, 1, 2).settings.size(), 2u);
}

TEST(Space, DrawsStayInRangeAndSpreadInTheLogarithm) {
  const SearchSpace space = parse_space(two_keys, "space.toml");
  std::set<std::string> recipes, decays;
  int low = 0;
  constexpr int draws = 400;
  for (int i = 2; i < 2 + draws; ++i) {
    const CandidateDraw draw = draw_candidate(space, 7, i);
    recipes.insert(draw.recipe);
    ASSERT_TRUE(draw.settings[0].starts_with("optimizer.learning_rate="));
    const double rate = std::stod(draw.settings[0].substr(24));
    EXPECT_GE(rate, 0.01);
    EXPECT_LE(rate, 1);
    low += rate < 0.1;
    decays.insert(draw.settings[1]);
  }
  EXPECT_EQ(recipes.size(), 2u);
  EXPECT_EQ(decays,
            (std::set<std::string>{"average.decay=0", "average.decay=0.9", "average.decay=0.995"}));
  EXPECT_NEAR(low, draws / 2, 4 * std::sqrt(draws) / 2);  // four standard deviations
}

/// The values of 200 candidates for the one key of a space.
std::set<std::string> draws_of(const std::string& key, const std::string& range) {
  const SearchSpace space =
      parse_space("recipes = [\"step2\"]\n[[vary]]\nkey = \"" + key + "\"\n" + range, "space.toml");
  std::set<std::string> values;
  for (int i = 1; i <= 200; ++i)
    values.insert(draw_candidate(space, 7, i).settings.at(0).substr(key.size() + 1));
  return values;
}

TEST(Space, NarrowRangesAreNotLeftByRounding) {
  const std::set<std::string> decays = draws_of("average.decay", "low = 0.99\nhigh = 0.9999");
  EXPECT_GT(decays.size(), 50u);
  for (const std::string& decay : decays) {
    EXPECT_GE(std::stod(decay), 0.99) << decay;
    EXPECT_LE(std::stod(decay), 0.9999) << decay;
  }
  for (const std::string& rate :
       draws_of("optimizer.learning_rate", "low = 0.10049\nhigh = 0.1996")) {
    EXPECT_GE(std::stod(rate), 0.10049) << rate;
    EXPECT_LE(std::stod(rate), 0.1996) << rate;
  }
}

TEST(Space, KeysThatAreWholeNumbersGetWholeNumbers) {
  EXPECT_EQ(draws_of("train.epochs", "low = 8\nhigh = 12"),
            (std::set<std::string>{"8", "9", "10", "11", "12"}));
  for (const std::string& steps :
       draws_of("train.max_steps", "low = 1000\nhigh = 1000000\nlog = true"))
    EXPECT_EQ(steps.find_first_not_of("0123456789"), steps.npos) << steps;
}

TEST(Space, ADrawIsAFunctionOfSeedAndIndex) {
  const SearchSpace space = parse_space(two_keys, "space.toml");
  EXPECT_EQ(draw_candidate(space, 3, 5).settings, draw_candidate(space, 3, 5).settings);
  EXPECT_NE(draw_candidate(space, 3, 5).settings, draw_candidate(space, 3, 6).settings);
  EXPECT_NE(draw_candidate(space, 3, 5).settings, draw_candidate(space, 4, 5).settings);
}

std::string rejected(const std::string& toml) {
  return usage_error_text([&] { parse_space(toml, "space.toml"); });
}

TEST(Space, NamesTheFault) {
  EXPECT_THAT(rejected("recipes = [\"a\"]\nvary = 3"), HasSubstr("space.toml:2: vary: "));
  EXPECT_THAT(rejected(""), HasSubstr("recipe.toml"));
  EXPECT_THAT(rejected("recipe = [\"a\"]"), HasSubstr("did you mean recipes?"));
  EXPECT_THAT(rejected("recipes = []"), HasSubstr("(got [],"));
  const std::string head = "recipes = [\"a\"]\n[[vary]]\n";
  EXPECT_THAT(rejected(head + "low = 1\nhigh = 2"), HasSubstr("space.toml:2: a [[vary]]"));
  EXPECT_THAT(rejected(head + "key = \"train.batch\""), HasSubstr("exactly one"));
  EXPECT_THAT(rejected(head + "key = \"train.batch\"\nvalues = [1]\nlow = 1\nhigh = 2"),
              HasSubstr("exactly one"));
  EXPECT_THAT(rejected(head + "key = \"train.batch\"\nvalues = []"), HasSubstr("vary: values: "));
  EXPECT_THAT(rejected(head + "key = \"train.batch\"\nlow = 2\nhigh = 1"), HasSubstr("low below"));
  EXPECT_THAT(rejected(head + "key = \"average.decay\"\nlow = 0\nhigh = 0.9\nlog = true"),
              HasSubstr("above 0"));
  EXPECT_THAT(rejected(head + "key = \"train.epochs\"\nlow = 1\nhigh = 2.5"),
              HasSubstr("space.toml:5: train.epochs: wrong type (got 2.5,"));
  EXPECT_THAT(rejected("recipes = ["), HasSubstr("space.toml:1:"));
}

TEST(Space, AKeyOrValueThatNoRecipeCanHaveIsNamedWithItsLine) {
  const std::string head = "recipes = [\"a\"]\n[[vary]]\n";
  EXPECT_THAT(rejected(head + "key = \"optimizer.learning_rat\"\nvalues = [1]"),
              HasSubstr("did you mean optimizer.learning_rate?"));
  EXPECT_THAT(rejected(head + "key = \"a.b\"\nvalues = [1]"), HasSubstr("space.toml:3: unknown"));
  EXPECT_THAT(rejected(head + "key = \"average.decay\"\nvalues = [0.9, 1]"),
              HasSubstr("space.toml:4: average.decay: out of range (got 1,"));
  EXPECT_THAT(rejected(head + "key = \"average.decay\"\nlow = 0.9\nhigh = 1"),
              HasSubstr("space.toml:5: average.decay: out of range (got 1,"));
  EXPECT_THAT(rejected(head + "key = \"schedule.kind\"\nvalues = [\"linaer\"]"),
              HasSubstr("space.toml:4: unknown schedule.kind"));
  EXPECT_THAT(rejected(head + "key = \"optimizer.nesterov\"\nlow = 0\nhigh = 1"),
              HasSubstr("optimizer.nesterov: wrong type (got 0,"));
}

TEST(Space, KeysThatMustNotDifferAreRejected) {
  for (const auto& [key, values] :
       {std::pair("train.seed", "[1, 2]"), std::pair("data.split", "[[100, 50], [50, 50]]"),
        std::pair("data.file", "[\"a.h5\"]"), std::pair("train.evaluate_every", "[1, 2]")})
    EXPECT_THAT(rejected(fmt::format("recipes = [\"a\"]\n[[vary]]\nkey = \"{}\"\nvalues = {}", key,
                                     values)),
                HasSubstr(fmt::format("space.toml:3: candidates cannot differ in {}", key)));
  const std::string twice = "[[vary]]\nkey = \"average.decay\"\nvalues = [0, 0.9]\n";
  EXPECT_THAT(rejected("recipes = [\"a\"]\n" + twice + twice), HasSubstr("average.decay"));
}

TEST(Space, LayersAreVariedAsAWhole) {
  const std::set<std::string> layers = draws_of(
      "model.layer", "values = [[{ linear = 10 }], [{ conv = 10 }, { pool = \"global_max\" }]]");
  EXPECT_EQ(layers.size(), 2u);
  for (const std::string& layer : layers)
    EXPECT_NO_THROW(parse_config(tiny, "tiny.toml", {"model.layer=" + layer})) << layer;
}

}  // namespace
}  // namespace mnist_dist
