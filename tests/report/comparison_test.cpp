#include "report/comparison.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
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
  EXPECT_THAT(verdict_sentence(a, b, d), HasSubstr("no difference"));
}

TEST(Comparison, WithoutCommonSeedsItIsWelchsT) {
  const Contestant a = contestant("A", {1, 2, 3}), b = contestant("B", {11, 13, 15}, 50);
  const Difference d = difference_of(a, b);
  EXPECT_EQ(d.basis, Difference::Basis::unpaired);
  EXPECT_NEAR(d.points, 11, 1e-9);
  // s^2 / n: 1 / 3 and 4 / 3, degrees of freedom: (5/3)^2 / (1/18 + 16/18) = 2.9412, t = 3.2182.
  EXPECT_NEAR(d.interval.high - d.points, 3.2182 * std::sqrt(5.0 / 3), 1e-2);
  EXPECT_THAT(verdict_sentence(a, b, d), HasSubstr("B is better"));
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
  EXPECT_THAT(verdict_sentence(a, b, d), HasSubstr("compare sweeps"));
}

TEST(Comparison, OneSeedAgainstManyHasNoInterval) {
  const Difference d = difference_of(contestant("A", {99}), contestant("B", {99.5, 99.6}, 10));
  EXPECT_EQ(d.basis, Difference::Basis::single);
  EXPECT_FALSE(d.shown());
}

TEST(Comparison, RejectsDifferentImages) {
  const Contestant a = contestant("A", {99});
  Contestant b = a;
  b.data_hash = "def";
  EXPECT_THROW(difference_of(a, b), Error);
  b = a;
  b.scored = "MNIST, validation rows";
  EXPECT_THROW(difference_of(a, b), Error);
  b = a;
  b.config = Config{};
  b.config->data.split = {50, 10, 0};
  Contestant c = b;
  EXPECT_NO_THROW(difference_of(b, c));
  c.config->data.split = {50, 10};
  EXPECT_THROW(difference_of(b, c), Error) << "the last rows, and a block per seed";
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

TEST(Comparison, ARunWithoutAResultIsComparedAsFarAsItGot) {
  Contestant a = contestant("A", {99}), b = contestant("B", {});
  a.state = "finished";
  a.accuracy = {{1, 97.5}, {2, 98.25}, {3, 99}};
  b.state = "diverged";
  b.place = "at epoch 3 step 4 in layer 1 (conv = 12)";
  b.diverged = 1;
  b.images = 0;
  b.data_hash = "";
  b.accuracy = {{1, 97}, {2, 96.5}};
  const Difference d = difference_of(a, b);
  EXPECT_EQ(d.basis, Difference::Basis::none);
  EXPECT_FALSE(d.shown());
  const std::vector<Contestant> both{a, b};
  const std::string text = comparison_text(both, 0);
  EXPECT_THAT(text, HasSubstr("B  B (diverged at epoch 3 step 4 in layer 1 (conv = 12))"));
  EXPECT_THAT(text, HasSubstr("after epoch 2: A 98.25 %, B 96.50 %"));
  EXPECT_THAT(comparison_json(both), HasSubstr("\"mean\": null"));
  EXPECT_THAT(comparison_page(both), HasSubstr("diverged at epoch 3 step 4"));
  b.data_hash = "def";
  EXPECT_THROW(difference_of(a, b), Error);
}

}  // namespace
}  // namespace mnist_dist
