#include "sweep/rates_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/data_name.h"
#include "data/mnist_files.h"
#include "data/order.h"
#include "train/schedule.h"

namespace mnist_dist {

int known_steps_per_epoch(const Config& recipe, const std::string& data_hash,
                          std::int64_t all_steps) {
  const DataConfig& data = recipe.data;
  if (data.split.empty() && !is_mnist(data_hash)) {
    const std::int64_t epochs = recipe.train.epochs;
    const bool whole =
        all_steps > 0 && all_steps % epochs == 0 && all_steps <= std::numeric_limits<int>::max();
    return whole ? static_cast<int>(all_steps / epochs) : 0;
  }
  return steps_per_epoch(data.split.empty() ? mnist_train_rows : data.split[0], data.shards,
                         recipe.train.batch / data.shards);
}

std::vector<double> last_rates(const Config& recipe, int steps_per_epoch) {
  const ScheduleKind kind = recipe.schedule.kind;
  const bool by_epoch = kind == ScheduleKind::constant || kind == ScheduleKind::step;
  if (!by_epoch && steps_per_epoch < 1) return {};
  const std::int64_t steps = by_epoch ? 1 : steps_per_epoch;
  std::int64_t all = recipe.train.epochs * steps;
  if (!by_epoch && recipe.train.max_steps > 0) all = std::min(all, recipe.train.max_steps);
  const Schedule schedule(recipe, static_cast<int>(steps));
  std::vector<double> rates;
  for (std::int64_t first = 0; first < all; first += steps)
    rates.push_back(static_cast<double>(schedule.rate(std::min(first + steps, all) - 1)));
  return rates;
}

void check_rates(std::span<const EpochRow> epochs, const std::vector<double>& rates,
                 const std::string& file) {
  const std::size_t rows = std::min(epochs.size(), rates.size());
  for (std::size_t row = 0; row < rows; ++row) {
    // The file has six digits. A rate at the end of a schedule may be no more than rounding.
    const double rate = rates[row], peak = *std::ranges::max_element(rates);
    if (std::abs(epochs[row].learning_rate - rate) > 1e-5 * rate + 1e-9 * peak)
      throw wrong_cell(file, row, "learning_rate", fmt::format("{:.6g}", epochs[row].learning_rate),
                       fmt::format("{:.6g}, from config.toml", rate));
  }
}

}  // namespace mnist_dist
