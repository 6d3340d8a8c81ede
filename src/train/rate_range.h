#pragma once
#include <optional>
#include <vector>

#include "comm/reducer.h"
#include "config/config.h"
#include "engine/engine.h"
#include "train/local_data.h"

namespace mnist_dist {

/// One step of a range test.
struct RatePoint {
  double rate = 0;
  double loss = 0;  ///< mean over the step's images, averaged over the steps before (share 0.9)
};

/// Trains from random weights, with a learning rate that grows from `low` to `high` by the same
/// factor in each of `steps` steps (at most one epoch, Smith 2017, "Cyclical learning rates"). Ends
/// early when the loss is not finite or passes four times its minimum.
/// `sums`: of the group's vectors.
/// Collective over the group.
std::vector<RatePoint> rate_range(Reducer& sums, Engine& engine, const Config& config,
                                  const LocalData& data, double low, double high, int steps);

/// For a schedule that rises to its peak, a quarter of the rate at which the loss was lowest. The
/// peak may be near the bound that a range test finds (Smith & Topin 2018, "Super-Convergence"),
/// but the loss, averaged over about ten steps, rises late, and training stays at its peak for
/// longer than a range test. Otherwise a tenth, for weights that have just been drawn. Nothing
/// where the loss fell by less than a tenth, or did not rise again, because the lowest loss has no
/// meaning then.
std::optional<double> suggested_rate(const std::vector<RatePoint>& points, bool has_warmup);

}  // namespace mnist_dist
