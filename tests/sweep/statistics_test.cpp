#include "sweep/statistics.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"

namespace mnist_dist {
namespace {

// Expected values are SciPy 1.17.1's and NumPy 2.4's, of
//   x = np.array([9951, 9947, 9939, 9956, 9944, 9948, 9960, 9941, 9952, 9945]) / 100
//   y = np.array([9955, 9949, 9950, 9958, 9943, 9955, 9961, 9950, 9951, 9953]) / 100
//   n = 10
const std::vector<double> x{99.51, 99.47, 99.39, 99.56, 99.44, 99.48, 99.60, 99.41, 99.52, 99.45};
const std::vector<double> y{99.55, 99.49, 99.50, 99.58, 99.43, 99.55, 99.61, 99.50, 99.51, 99.53};

TEST(Statistics, AgreeWithScipy) {
  const Statistics s = statistics_of(x);
  EXPECT_EQ(s.n, 10);
  EXPECT_NEAR(s.mean, 99.483, 1e-10);             // x.mean()
  EXPECT_NEAR(s.sd, 0.06566751268490498, 1e-10);  // x.std(ddof=1)
  EXPECT_NEAR(s.mean_interval.low, 99.43602429130294,
              1e-8);  // stats.t.interval(.95, n - 1, x.mean(), stats.sem(x))
  EXPECT_NEAR(s.mean_interval.high, 99.52997570869707, 1e-8);
  EXPECT_NEAR(s.mean_lower_bound, 99.44493377694998,
              1e-8);  // x.mean() - stats.t.ppf(.95, n - 1) * stats.sem(x)
  EXPECT_NEAR(s.sd_interval.low, 0.04516843,
              1e-8);  // np.sqrt((n - 1) * x.var(ddof=1) / stats.chi2.ppf([.975, .025], n - 1))
  EXPECT_NEAR(s.sd_interval.high, 0.11988328, 1e-8);
  EXPECT_NEAR(s.p1, 99.3918, 1e-10);  // np.percentile(x, [1, 5, 50])
  EXPECT_NEAR(s.p5, 99.399, 1e-10);
  EXPECT_NEAR(s.p50, 99.475, 1e-10);
  EXPECT_EQ(s.min, 99.39);
  EXPECT_EQ(s.max, 99.60);
}

TEST(Statistics, OfOneRunHasNoSpreadAndOfNoneNothing) {
  const std::vector<double> one{99.5};
  EXPECT_EQ(statistics_of(one).p1, 99.5);
  EXPECT_EQ(statistics_of(one).sd, 0);
  EXPECT_EQ(statistics_of({}).n, 0);
}

TEST(Statistics, ClopperPearsonAgreesWithScipy) {
  // stats.binomtest(k, n, alternative='greater').proportion_ci(.95, 'exact').low
  EXPECT_NEAR(success_lower_bound(100, 100), 0.9704869503928434, 1e-12);
  EXPECT_NEAR(success_lower_bound(50, 50), 0.9418449208830241, 1e-12);
  EXPECT_NEAR(success_lower_bound(93, 100), 0.8725419844171268, 1e-12);
  EXPECT_NEAR(success_lower_bound(9, 10), 0.605836697563026, 1e-12);
  EXPECT_EQ(success_lower_bound(0, 10), 0);
}

TEST(Statistics, TheChanceOfOneMoreSuccessAgreesWithScipy) {
  // stats.binomtest(k, n).proportion_ci(.95, 'exact')
  EXPECT_NEAR(success_interval(3, 20).low, 0.03207093718554477, 1e-12);
  EXPECT_NEAR(success_interval(3, 20).high, 0.37892682654529564, 1e-12);
  EXPECT_NEAR(success_interval(97, 100).low, 0.9148239470257197, 1e-12);
  EXPECT_NEAR(success_interval(97, 100).high, 0.9937700284616938, 1e-12);
  EXPECT_EQ(success_interval(0, 20).low, 0);
  EXPECT_NEAR(success_interval(0, 20).high, 0.16843347098308548, 1e-12);
  EXPECT_EQ(success_interval(20, 20).high, 1);
}

TEST(Statistics, TheTestSetsResolution) {
  EXPECT_NEAR(resolution(99.44, 10000), 0.07462332075162596,
              1e-12);  // 100 * stats.binom.std(10000, .9944) / 10000
}

TEST(Statistics, PairedComparisonAgreesWithScipyAndLeavesUnpairedSeedsOut) {
  std::map<std::uint64_t, double> a{{77, 10.0}}, b{{99, 20.0}};
  for (std::size_t i = 0; i < x.size(); ++i) a[i] = x[i], b[i] = y[i];
  const Comparison c = compare_paired(a, b);
  EXPECT_EQ(c.difference.n, 10);
  EXPECT_NEAR(c.difference.mean, 0.042, 1e-10);
  EXPECT_NEAR(c.difference.mean_interval.low, 0.011314607296426412,
              1e-8);  // stats.t.interval(.95, n - 1, d.mean(), stats.sem(d)), d = y - x
  EXPECT_NEAR(c.difference.mean_interval.high, 0.07268539270357392, 1e-8);
  EXPECT_EQ(c.better, 8);
  EXPECT_EQ(c.worse, 2);
  EXPECT_EQ(c.same, 0);
}

TEST(Target, PassIsDecidedInIntegers) {
  EXPECT_EQ(Target("99.4").required_correct(10000), 9940);
  EXPECT_EQ(Target("99.4").required_correct(500), 497);
  EXPECT_EQ(Target("99.41").required_correct(500), 498) << "rounded up";
  EXPECT_EQ(Target("99.400001").required_correct(10000), 9941);
  EXPECT_EQ(Target("0").required_correct(10000), 0);
  EXPECT_EQ(Target("100").required_correct(10000), 10000);
  // In doubles, 0.07 * 100 is 7.000000000000001.
  EXPECT_EQ(Target("7").required_correct(100), 7);
  EXPECT_EQ(Target("0.07").required_correct(10000), 7);
}

TEST(Target, RejectsTextsThatAreNoPercentage) {
  for (const char* text :
       {"", ".", "100.1", "-1", "99,4", "1e2", "99.4000001", "99999999999999999999", "9.9.4"})
    EXPECT_THROW(Target{text}, Error) << text;
}

}  // namespace
}  // namespace mnist_dist
