#pragma once
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "train/metrics.h"

namespace mnist_dist {

/// Steps per epoch, as the recipe and the data set's hash decide. Of sets other than MNIST, from
/// the steps of all epochs (0: not recorded). 0: unknown.
int known_steps_per_epoch(const Config& recipe, const std::string& data_hash,
                          std::int64_t all_steps = 0);

/// The learning rate of the last step of each epoch, as metrics.csv has it. `steps_per_epoch` 0:
/// unknown. Then empty, unless the schedule depends on the epoch alone.
std::vector<double> last_rates(const Config& recipe, int steps_per_epoch);

/// Compares a run's epochs with these rates. Nothing when `rates` is empty.
/// Throws: Error (data) naming `file` and row.
void check_rates(std::span<const EpochRow> epochs, const std::vector<double>& rates,
                 const std::string& file);

}  // namespace mnist_dist
