#pragma once
#include <vector>

#include "config/config.h"
#include "data/dataset.h"

namespace mnist_dist {

/// The data of one rank: the rows of its shards, and its shares of the rows to score on.
struct LocalData {
  std::vector<Images> training;    ///< one per owned shard
  std::vector<Images> evaluation;  ///< one per owned share, cut like the shards
  int first_shard = 0;
  int training_rows = 0;    ///< of all ranks
  int evaluation_rows = 0;  ///< of all ranks
};

/// Training rows of the file that a recipe uses: all, or the first of data.split. Throws Error
/// (usage) when the split does not fit the file.
Range training_rows(const Config& config, const Dataset& dataset);

/// Reads this rank's rows and no others: training shards from the file's (first) training rows,
/// evaluation shares from the test set or, with data.split, from the file's last training rows.
/// Throws Error: usage for a split that does not fit, data for damage.
LocalData load_local_data(const Config& config, const Dataset& dataset, int rank, int ranks);

/// Shares of the test set alone, for `evaluate`.
std::vector<Images> load_test_shares(const Dataset& dataset, int shards, int rank, int ranks);

}  // namespace mnist_dist
