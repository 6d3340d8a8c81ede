#include "train/local_data.h"

#include <fmt/format.h>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// This rank's parts of `rows`, cut into `shards` even shares.
template <class Read>
std::vector<Images> owned_parts(Range rows, int shards, Range owned, const Read& read) {
  std::vector<Images> parts;
  for (int shard = owned.first; shard < owned.last; ++shard) {
    const Range share = even_share(shard, shards, rows.size());
    parts.push_back(read(Range{rows.first + share.first, rows.first + share.last}));
  }
  return parts;
}

Range evaluation_rows(const Config& config, const Dataset& dataset) {
  if (config.data.split.empty()) return {0, dataset.test_rows()};
  return {dataset.train_rows() - config.data.split[1], dataset.train_rows()};
}

}  // namespace

Range training_rows(const Config& config, const Dataset& dataset) {
  const int rows = config.data.split.empty() ? dataset.train_rows() : config.data.split[0];
  const int held_out = config.data.split.empty() ? 0 : config.data.split[1];
  if (rows + held_out > dataset.train_rows())
    throw usage_error(
        fmt::format("data.split = [{}, {}] needs {} training rows, {} has {}", rows, held_out,
                    rows + held_out, config.data.file, dataset.train_rows()),
        "choose a smaller split or another data.file");
  if (rows < config.data.shards)
    throw usage_error(
        fmt::format("{} training rows cannot fill {} shards", rows, config.data.shards),
        "set data.shards lower");
  if (config.train.batch > rows)
    throw usage_error(
        fmt::format("train.batch = {} is more than the {} training rows", config.train.batch, rows),
        "set train.batch lower");
  return {0, rows};
}

LocalData load_local_data(const Config& config, const Dataset& dataset, int rank, int ranks) {
  const int shards = config.data.shards;
  const Range owned = even_share(rank, ranks, shards);
  const Range training = training_rows(config, dataset),
              evaluation = evaluation_rows(config, dataset);
  LocalData data;
  data.training =
      owned_parts(training, shards, owned, [&](Range rows) { return dataset.train(rows); });
  data.evaluation =
      config.data.split.empty()
          ? load_test_shares(dataset, shards, rank, ranks)
          : owned_parts(evaluation, shards, owned, [&](Range rows) { return dataset.train(rows); });
  data.first_shard = owned.first;
  data.training_rows = training.size();
  data.evaluation_rows = evaluation.size();
  return data;
}

std::vector<Images> load_test_shares(const Dataset& dataset, int shards, int rank, int ranks) {
  return owned_parts({0, dataset.test_rows()}, shards, even_share(rank, ranks, shards),
                     [&](Range rows) { return dataset.test(rows); });
}

}  // namespace mnist_dist
