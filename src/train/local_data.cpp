#include "train/local_data.h"

#include <fmt/format.h>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// This rank's parts of `rows`, cut into `shards` even shares.
std::vector<Range> owned_parts(Range rows, int shards, Range owned) {
  std::vector<Range> parts;
  for (int shard = owned.first; shard < owned.last; ++shard) {
    const Range share = even_share(shard, shards, rows.size());
    parts.push_back({rows.first + share.first, rows.first + share.last});
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

LocalRows local_rows(const Config& config, const Dataset& dataset, int rank, int ranks) {
  const int shards = config.data.shards;
  const Range owned = even_share(rank, ranks, shards);
  return {owned_parts(training_rows(config, dataset), shards, owned),
          owned_parts(evaluation_rows(config, dataset), shards, owned)};
}

LocalData local_data_without_rows(const Config& config, const Dataset& dataset, int rank,
                                  int ranks) {
  LocalData data;
  data.first_shard = even_share(rank, ranks, config.data.shards).first;
  data.training_rows = training_rows(config, dataset).size();
  data.evaluation_rows = evaluation_rows(config, dataset).size();
  return data;
}

LocalData load_local_data(const Config& config, const Dataset& dataset, int rank, int ranks) {
  const LocalRows rows = local_rows(config, dataset, rank, ranks);
  LocalData data = local_data_without_rows(config, dataset, rank, ranks);
  for (const Range& part : rows.training) data.own.push_back(dataset.train(part));
  for (const Range& part : rows.evaluation)
    data.own.push_back(config.data.split.empty() ? dataset.test(part) : dataset.train(part));
  const std::span<const Images> parts = data.own;
  data.training = views(parts.first(rows.training.size()));
  data.evaluation = views(parts.subspan(rows.training.size()));
  return data;
}

std::vector<Images> load_test_shares(const Dataset& dataset, int shards, int rank, int ranks) {
  std::vector<Images> shares;
  for (const Range& part :
       owned_parts({0, dataset.test_rows()}, shards, even_share(rank, ranks, shards)))
    shares.push_back(dataset.test(part));
  return shares;
}

}  // namespace mnist_dist
