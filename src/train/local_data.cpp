#include "train/local_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/order.h"

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

/// Those of the file's training rows that are not trained on but scored on. Throws: Error (usage)
/// when data.split does not fit the file.
Range held_out_rows(const Config& config, const Dataset& dataset) {
  const std::vector<int>& split = config.data.split;
  const int all = dataset.train_rows();
  if (split.empty()) return {all, all};
  const auto misfit = [&](const std::string& why) {
    return usage_error("data.split: " + why, "choose a smaller split or a different data.file");
  };
  const int size = split[1];
  if (size > all - split[0])
    throw misfit(fmt::format("too many rows (got {}, expected at most {}, as in {})",
                             std::int64_t{size} + split[0], all, config.data.file));
  if (split.size() == 2) return {all - size, all};
  const int blocks = all / size;
  int block = split[2];
  if (block > blocks)
    throw misfit(fmt::format("no such block (got {}, expected at most {})", block, blocks));
  if (block == 0) {
    const auto last = static_cast<std::uint64_t>(blocks - 1);
    block = 1 + static_cast<int>((config.train.seed % (last + 1) + last) % (last + 1));
  }
  return {(block - 1) * size, block * size};
}

/// Rows `part` of the file's training rows, counted without the rows `held_out`.
Images training_images(const Dataset& dataset, Range part, Range held_out) {
  const int before = std::clamp(held_out.first, part.first, part.last);
  Images images = dataset.train({part.first, before});
  if (before == part.last) return images;
  const Images behind = dataset.train({before + held_out.size(), part.last + held_out.size()});
  images.pixels.insert(images.pixels.end(), behind.pixels.begin(), behind.pixels.end());
  images.labels.insert(images.labels.end(), behind.labels.begin(), behind.labels.end());
  return images;
}

Range evaluation_rows(const Config& config, const Dataset& dataset) {
  return config.data.split.empty() ? Range{0, dataset.test_rows()} : held_out_rows(config, dataset);
}

}  // namespace

bool rows_follow_seed(const Config& config) {
  return config.data.split.size() == 3 && config.data.split[2] == 0;
}

Range training_rows(const Config& config, const Dataset& dataset) {
  held_out_rows(config, dataset);
  const int rows = config.data.split.empty() ? dataset.train_rows() : config.data.split[0];
  if (rows < config.data.shards)
    throw usage_error(
        fmt::format("data.shards: too many (got {}, expected at most the {} training rows)",
                    config.data.shards, rows),
        "set data.shards lower");
  if (config.train.batch > rows)
    throw usage_error(
        fmt::format("train.batch: too large (got {}, expected at most the {} training rows)",
                    config.train.batch, rows),
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
  const Range held_out = held_out_rows(config, dataset);
  for (const Range& part : rows.training)
    data.own.push_back(training_images(dataset, part, held_out));
  for (const Range& part : rows.evaluation)
    data.own.push_back(config.data.split.empty() ? dataset.test(part) : dataset.train(part));
  const std::span<const Images> parts = data.own;
  data.training = views(parts.first(rows.training.size()));
  data.evaluation = views(parts.subspan(rows.training.size()));
  return data;
}

std::vector<std::vector<std::uint32_t>> epoch_orders(const LocalData& data, std::uint64_t seed,
                                                     std::uint32_t epoch) {
  std::vector<std::vector<std::uint32_t>> orders;
  int shard = data.first_shard;
  for (const ImagesView& images : data.training)
    orders.push_back(
        epoch_order({images.first_row, images.first_row + images.count()}, shard++, seed, epoch));
  return orders;
}

std::vector<Images> load_test_shares(const Dataset& dataset, int shards, int rank, int ranks) {
  std::vector<Images> shares;
  for (const Range& part :
       owned_parts({0, dataset.test_rows()}, shards, even_share(rank, ranks, shards)))
    shares.push_back(dataset.test(part));
  return shares;
}

}  // namespace mnist_dist
