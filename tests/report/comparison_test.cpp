#include "report/comparison.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "report/text_table.h"
#include "sweep/records.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::HasSubstr;

Contestant contestant(const char* label, const std::vector<double>& accuracies,
                      std::uint64_t first_seed = 0) {
  Contestant c;
  c.label = label;
  c.folder = label;
  c.recipe = "tiny";
  c.images = 10000;
  c.scored = "MNIST, test set";
  c.data_hash = "abc";
  for (const double accuracy : accuracies) c.accuracies[first_seed++] = accuracy;
  return c;
}

TEST(Comparison, PairsSeedsThatBothHave) {
  const Contestant a = contestant("A", {99.50, 99.41, 99.60}),
                   b = contestant("B", {99.51, 99.43, 99.63, 99.0});
  const Difference d = difference_of(a, b);
  EXPECT_EQ(d.basis, Difference::Basis::seeds);
  EXPECT_NEAR(d.points, 0.02, 1e-9);
  EXPECT_NEAR(d.interval.low, 0.02 - 4.302653 * 0.01 / std::sqrt(3.0), 1e-6);
  EXPECT_FALSE(d.shown());
  EXPECT_EQ(d.better, 3);
  EXPECT_THAT(verdict_sentence(a, b, d), HasSubstr("no difference between A and B is shown"));
}

TEST(Comparison, WithoutCommonSeedsItIsWelchsT) {
  const Contestant a = contestant("A", {1, 2, 3}), b = contestant("B", {11, 13, 15}, 50);
  const Difference d = difference_of(a, b);
  EXPECT_EQ(d.basis, Difference::Basis::unpaired);
  EXPECT_NEAR(d.points, 11, 1e-9);
  // s^2 / n: 1 / 3 and 4 / 3; degrees of freedom (5/3)^2 / (1/18 + 16/18) = 2.9412; t = 3.2182.
  EXPECT_NEAR(d.interval.high - d.points, 3.2182 * std::sqrt(5.0 / 3), 1e-2);
  EXPECT_THAT(verdict_sentence(a, b, d), HasSubstr("B is better than A by 11.0000 points"));
}

TEST(Comparison, TwoRunsArePairedByImage) {
  Contestant a = contestant("A", {90}), b = contestant("B", {95}, 7);
  for (int i = 0; i < 100; ++i) {
    a.predictions.push_back({i, 1, i < 10 ? 2 : 1, 0.9, 0.9});
    b.predictions.push_back({i, 1, i < 2 || i >= 97 ? 2 : 1, 0.9, 0.9});
  }
  const Difference d = difference_of(a, b);
  EXPECT_EQ(d.basis, Difference::Basis::images);
  EXPECT_EQ(d.better, 8);
  EXPECT_EQ(d.worse, 3);
  EXPECT_NEAR(d.points, 5, 1e-9);
  EXPECT_NEAR(d.interval.high - d.points, 1.959964 * std::sqrt(11 - 25 / 100.0), 1e-6);
  EXPECT_THAT(verdict_sentence(a, b, d), HasSubstr("compare sweeps to compare recipes"));
}

TEST(Comparison, OneSeedAgainstManyHasNoInterval) {
  const Difference d = difference_of(contestant("A", {99}), contestant("B", {99.5, 99.6}, 10));
  EXPECT_EQ(d.basis, Difference::Basis::single);
  EXPECT_FALSE(d.shown());
}

TEST(Comparison, RefusesOtherImages) {
  const Contestant a = contestant("A", {99});
  Contestant b = a;
  b.data_hash = "def";
  EXPECT_THROW(difference_of(a, b), Error);
  b = a;
  b.scored = "MNIST, validation rows";
  EXPECT_THROW(difference_of(a, b), Error);
}

TEST(Comparison, NamesTheKeysThatDiffer) {
  Contestant a = contestant("A", {99}), b = contestant("B", {99});
  const std::string recipe = sweep_record({}).recipe_text;
  a.config = parse_config(recipe, "a.toml");
  b.config = parse_config(recipe, "a.toml", {"train.epochs=9", "optimizer.learning_rate=0.5"});
  const std::vector<Contestant> both{a, b};
  const std::vector<std::vector<std::string>> expected{{"train.epochs", "2", "9"},
                                                       {"optimizer.learning_rate", "0.01", "0.5"}};
  EXPECT_EQ(differing_keys(both), expected);
  const std::string page = comparison_page(both);
  EXPECT_THAT(page, HasSubstr("class=\"verdict"));
  EXPECT_THAT(page, HasSubstr("train.epochs"));
}

TEST(TextTable, LeavesOutWhatMattersLeast) {
  const std::vector<TextColumn> table{
      {"seed", 4, false, 9}, {"rate", 6, false, 1}, {"loss", 6, false, 5}};
  EXPECT_EQ(fitting_columns(table, 0).size(), 3u);
  EXPECT_EQ(fitting_columns(table, 20).size(), 3u);
  const auto shown = fitting_columns(table, 19);
  EXPECT_EQ(shown, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(table_header(table, shown), "seed    loss\n");
  EXPECT_EQ(fitting_columns(table, 1), std::vector<std::size_t>{0});
}

TEST(TextTable, FieldsOfALineAreWrapped) {
  EXPECT_EQ(wrapped_fields("a | b | c", 0), "a | b | c\n");
  EXPECT_EQ(wrapped_fields("aaaa | bbbb | cccc", 12), "aaaa | bbbb\n  cccc\n");
}

}  // namespace
}  // namespace mnist_dist
