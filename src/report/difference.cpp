#include "report/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// Two runs, image by image: of those that they see differently, how many does which one get right?
Difference by_image(const Contestant& first, const Contestant& second) {
  Difference d;
  d.basis = Difference::Basis::images;
  for (std::size_t i = 0; i < first.predictions.size(); ++i) {
    const bool a = first.predictions[i].right(), b = second.predictions[i].right();
    ++(a == b ? d.same : b ? d.better : d.worse);
  }
  d.pairs = d.better + d.same + d.worse;
  const double n = d.pairs, gain = d.better - d.worse, differing = d.better + d.worse;
  d.points = 100 * gain / n;
  constexpr double normal_975 = 1.959964;
  const double reach = 100 * normal_975 * std::sqrt(std::max(differing - gain * gain / n, 0.0)) / n;
  d.interval = {d.points - reach, d.points + reach};
  return d;
}

Difference unpaired(const Contestant& first, const Contestant& second) {
  const Statistics a = accuracy_statistics(first), b = accuracy_statistics(second);
  Difference d;
  d.points = b.mean - a.mean;
  const double va = a.sd * a.sd / a.n, vb = b.sd * b.sd / b.n;
  if (a.n < 2 || b.n < 2) return d;
  d.basis = Difference::Basis::unpaired;
  double reach = 0;
  if (va + vb > 0) {
    const double freedom = (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1));
    reach = std::sqrt(va + vb) * boost::math::quantile(boost::math::complement(
                                     boost::math::students_t(freedom), each_side));
  }
  d.interval = {d.points - reach, d.points + reach};
  return d;
}

bool same_images(const Contestant& a, const Contestant& b) {
  return std::ranges::equal(a.predictions, b.predictions, {}, &Prediction::index,
                            &Prediction::index);
}

/// Held-out rows of a recipe, as far as they depend on it: none, the last ones, or a block.
int held_out_block(const Contestant& c) {
  if (!c.config || c.config->data.split.empty()) return -2;
  return c.config->data.split.size() == 2 ? -1 : c.config->data.split[2];
}

}  // namespace

Statistics accuracy_statistics(const Contestant& c) {
  std::vector<double> values;
  for (const auto& [seed, accuracy] : c.accuracies) values.push_back(accuracy);
  return statistics_of(values);
}

Difference difference_of(const Contestant& first, const Contestant& second) {
  const bool both = first.has_result() && second.has_result();
  const bool same_data = first.data_hash == second.data_hash ||
                         (!both && (first.data_hash.empty() || second.data_hash.empty()));
  const bool same_rows = first.scored == second.scored && first.images == second.images &&
                         held_out_block(first) == held_out_block(second);
  if (!same_data || (both && !same_rows))
    throw usage_error(
        fmt::format("{} and {} were scored on different images ({} of {}, and {} of {})",
                    first.folder.string(), second.folder.string(), first.images, first.scored,
                    second.images, second.scored),
        "compare runs and sweeps over the same data and split");
  if (!both) {
    Difference none;
    none.basis = Difference::Basis::none;
    return none;
  }
  const Comparison paired = compare_paired(first.accuracies, second.accuracies);
  if (paired.difference.n > 1) {
    const Statistics& s = paired.difference;
    return {.basis = Difference::Basis::seeds,
            .points = s.mean,
            .interval = s.mean_interval,
            .pairs = s.n,
            .better = paired.better,
            .same = paired.same,
            .worse = paired.worse};
  }
  if (!first.predictions.empty() && same_images(first, second)) return by_image(first, second);
  return unpaired(first, second);
}

}  // namespace mnist_dist
