#include "engine/device/input.h"

#include <algorithm>
#include <stdexcept>

#include "engine/device/kernels.h"

namespace mnist_dist {

DeviceInput::DeviceInput(const EngineOptions& options, const Queue& queue)
    : config_(options.config),
      normalisation_(options.normalisation),
      queue_(queue),
      slice_(config_.train.batch / config_.data.shards),
      epoch_(queue, 1) {}

void DeviceInput::set_data(std::span<const ImagesView> shards) {
  shards_.assign(shards.begin(), shards.end());
  std::vector<std::uint8_t> pixels, labels;
  std::vector<std::int32_t> begins{0};
  for (const ImagesView& shard : shards) {
    pixels.insert(pixels.end(), shard.pixels.begin(), shard.pixels.end());
    labels.insert(labels.end(), shard.labels.begin(), shard.labels.end());
    begins.push_back(static_cast<std::int32_t>(labels.size()));
  }
  pixels_ = DeviceArray<std::uint8_t>(queue_, pixels);
  labels_ = DeviceArray<std::uint8_t>(queue_, labels);
  shard_begins_ = DeviceArray<std::int32_t>(queue_, begins);
  device_orders_ = DeviceArray<std::uint32_t>(queue_, labels.size());

  const auto batch = static_cast<std::size_t>(batch_size());
  const ModelSpec& model = config_.model;
  images_ = DeviceArray<float>(queue_, batch * static_cast<std::size_t>(model.pixels()));
  workspace_ = DeviceArray<float>(queue_, batch * augment_workspace(model.side));
  targets_ = DeviceArray<std::int64_t>(queue_, batch);
  batch_rows_ = DeviceArray<std::uint32_t>(queue_, batch);
  dropouts_.clear();
  const std::vector<LayerShape> shapes = layer_shapes(model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    Dropout dropout{.layer = static_cast<int>(i),
                    .rule = dropout_rule(config_.model.layers[i].dropout)};
    if (dropout.rule.threshold == 0) continue;
    dropout.elements = shapes[i].out_channels * shapes[i].out_side * shapes[i].out_side;
    dropout.factors =
        DeviceArray<float>(queue_, batch * static_cast<std::size_t>(dropout.elements));
    dropouts_.push_back(std::move(dropout));
  }
}

void DeviceInput::begin_epoch(const EpochPlan& plan) {
  orders_.assign(plan.orders.begin(), plan.orders.end());
  std::vector<std::uint32_t> flat;
  for (const std::vector<std::uint32_t>& order : orders_)
    flat.insert(flat.end(), order.begin(), order.end());
  if (flat.size() != device_orders_.size())
    throw std::invalid_argument("device input: wrong size of the epoch's orders");
  device_orders_.upload(queue_, flat);

  DeviceEpoch epoch{.epoch = plan.epoch,
                    .augment = at_epoch(config_.augment, plan.epoch, config_.model.side)};
  if (epoch.augment.elastic_alpha > 0)
    for (const float tap : elastic_taps(epoch.augment)) epoch.tap[epoch.taps++] = tap;
  epoch_.upload(queue_, {&epoch, 1});
}

void DeviceInput::enqueue(const DeviceProgress* progress, BatchOrder order) const {
  const auto first_row =
      static_cast<std::uint32_t>(shards_.empty() ? 0 : shards_.front().first_row);
  const DeviceRows rows{.side = config_.model.side,
                        .pixels = pixels_.data(),
                        .labels = labels_.data(),
                        .first_row = first_row,
                        .orders = device_orders_.data(),
                        .shard_begin = shard_begins_.data(),
                        .shards = shards()};
  const std::uint64_t seed = config_.train.seed;
  enqueue_batch(queue_, rows, epoch_.data(), progress, seed, normalisation_, slice_, order,
                batch());
  for (const Dropout& dropout : dropouts_)
    enqueue_dropout(queue_, dropout.rule, epoch_.data(), seed,
                    static_cast<std::uint32_t>(dropout.layer), batch_rows_.data(), batch_size(),
                    dropout.elements, dropout.factors.data());
}

std::span<const std::uint32_t> DeviceInput::slice_rows(int shard, int step) const {
  const std::span<const std::uint32_t> order = orders_[static_cast<std::size_t>(shard)];
  const std::size_t first =
      std::min(order.size(), static_cast<std::size_t>(step) * static_cast<std::size_t>(slice_));
  return order.subspan(first, std::min(order.size() - first, static_cast<std::size_t>(slice_)));
}

}  // namespace mnist_dist
