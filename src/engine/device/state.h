#pragma once
#include <span>

#include "base/device_memory.h"
#include "engine/device/batch.h"
#include "engine/engine.h"
#include "model/layout.h"

namespace mnist_dist {

/// TrainState in a queue's memory, and the update that moves it on.
class DeviceState {
 public:
  DeviceState(const FlatLayout& layout, const OptimizerConfig& optimizer,
              const AverageConfig& average, const Queue& queue);

  /// Throws: std::invalid_argument for vectors of a different size.
  void load(const TrainState& state);
  TrainState save() const;

  /// The learning rates of an epoch's steps, of which none is done. True when they lie where they
  /// did in the last epoch: recorded steps stay good.
  bool begin_epoch(std::span<const float> learning_rates);
  /// Enqueues the update by `total`, a step's vector added over all shards.
  void enqueue(const float* total) const;

  DeviceProgress progress() const;
  void set_progress(const DeviceProgress& progress) const;
  DeviceProgress* device_progress() const { return progress_.data(); }

  bool averages() const { return average_.decay > 0; }
  /// In the queue's memory.
  std::span<const float> parameters(Weights weights) const {
    return span(weights == Weights::raw ? parameters_ : average_parameters_);
  }
  std::span<const float> norm_statistics(Weights weights) const {
    return span(weights == Weights::raw ? norms_ : average_norms_);
  }

 private:
  static std::span<const float> span(const DeviceArray<float>& array) {
    return {array.data(), array.size()};
  }

  FlatLayout layout_;
  OptimizerConfig optimizer_;
  AverageConfig average_;
  Queue queue_;
  DeviceArray<float> parameters_, velocity_, norms_, average_parameters_, average_norms_, decay_,
      rates_;
  DeviceArray<DeviceProgress> progress_;
};

}  // namespace mnist_dist
