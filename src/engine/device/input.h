#pragma once
#include <span>
#include <vector>

#include "base/device_memory.h"
#include "engine/device/batch.h"
#include "engine/engine.h"

namespace mnist_dist {

/// The input of a step, in a queue's memory: the training rows a rank owns, their order in an
/// epoch, and the batch made of them.
class DeviceInput {
 public:
  /// A layer's dropout for a whole batch.
  struct Dropout {
    int layer = 0;
    DropoutRule rule{};
    int elements = 0;                 ///< of one image
    DeviceArray<float> factors = {};  ///< [batch][elements]
  };

  DeviceInput(const EngineOptions& options, const Queue& queue);

  /// The rows' memory outlives this.
  void set_data(std::span<const ImagesView> shards);
  /// Throws: std::invalid_argument when the orders are not those of the shards.
  void begin_epoch(const EpochPlan& plan);
  /// Enqueues the batch of step `progress->step`, and its dropout.
  void enqueue(const DeviceProgress* progress, BatchOrder order) const;

  int shards() const { return static_cast<int>(shards_.size()); }
  int slice() const { return slice_; }
  int batch_size() const { return slice_ * shards(); }
  DeviceBatch batch() const {
    return {images_.data(), targets_.data(), batch_rows_.data(), workspace_.data()};
  }
  const std::vector<Dropout>& dropouts() const { return dropouts_; }

  /// Rows that a shard shows at a step, and the shard itself, on the host.
  std::span<const std::uint32_t> slice_rows(int shard, int step) const;
  const ImagesView& images(int shard) const { return shards_[static_cast<std::size_t>(shard)]; }

 private:
  Config config_;
  Normalisation normalisation_;
  Queue queue_;
  int slice_;
  std::vector<ImagesView> shards_;
  std::vector<std::vector<std::uint32_t>> orders_;  ///< on the host

  DeviceArray<std::uint8_t> pixels_, labels_;
  DeviceArray<std::int32_t> shard_begins_;
  DeviceArray<std::uint32_t> device_orders_, batch_rows_;
  DeviceArray<DeviceEpoch> epoch_;
  DeviceArray<float> images_, workspace_;
  DeviceArray<std::int64_t> targets_;
  std::vector<Dropout> dropouts_;
};

}  // namespace mnist_dist
