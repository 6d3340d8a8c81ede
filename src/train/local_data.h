#pragma once
#include <optional>
#include <vector>

#include "base/shared_memory.h"
#include "config/config.h"
#include "data/dataset.h"

namespace mnist_dist {

/// A rank's part of the data: the rows of its shards, and its shares of the rows to score on.
struct LocalData {
  std::vector<ImagesView> training;    ///< one per owned shard
  std::vector<ImagesView> evaluation;  ///< one per owned share, cut like the shards
  int first_shard = 0;
  int training_rows = 0;    ///< of all ranks
  int evaluation_rows = 0;  ///< of all ranks
  // Either is the memory of the views.
  std::vector<Images> own;
  std::optional<SharedMemory> shared;  ///< with ranks of this host that have the same part
};

/// Rows that a recipe trains on: all training rows of the file, or the first of those that
/// data.split does not hold out, counted without these.
/// Throws: Error (usage) when the split does not fit the file.
Range training_rows(const Config& config, const Dataset& dataset);

/// The rows of each of a rank's parts: shards of training_rows, and shares of the test set or, with
/// data.split, of the held-out rows of the file's training rows.
struct LocalRows {
  std::vector<Range> training, evaluation;
};
/// Throws: Error (usage) for a split that does not fit.
LocalRows local_rows(const Config& config, const Dataset& dataset, int rank, int ranks);

/// A rank's data without the rows themselves.
LocalData local_data_without_rows(const Config& config, const Dataset& dataset, int rank,
                                  int ranks);

/// Whether seeds of a sweep have different rows.
bool rows_follow_seed(const Config& config);

/// Reads this rank's rows and no others.
/// Throws: Error: usage for a split that does not fit, data for damage.
LocalData load_local_data(const Config& config, const Dataset& dataset, int rank, int ranks);

/// epoch_order of each of the rank's shards.
std::vector<std::vector<std::uint32_t>> epoch_orders(const LocalData& data, std::uint64_t seed,
                                                     std::uint32_t epoch);

/// Shares of the test set alone, for `evaluate`.
std::vector<Images> load_test_shares(const Dataset& dataset, int shards, int rank, int ranks);

}  // namespace mnist_dist
