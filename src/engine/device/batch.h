#pragma once
#include <cstdint>

#include "config/config.h"
#include "data/augment.h"
#include "data/resample.h"

namespace mnist_dist {

/// The values that change from epoch to epoch, in the device's memory.
struct DeviceEpoch {
  std::uint32_t epoch = 0;
  EpochAugment augment;  ///< as at_epoch makes it
  int taps = 0;          ///< of elastic_taps
  float tap[image_side_limit] = {};
};

/// How far training is, in the device's memory: the host reads it now and then.
struct DeviceProgress {
  /// Of the epoch, the next one to run. It is incremented even if the step has no effect.
  std::int32_t step = 0;
  std::int32_t steps_done = 0;  ///< in this epoch
  std::int64_t images = 0, correct = 0;
  double loss = 0;
  std::int32_t stopped_at = -1, non_finite_at = -1;
  std::int64_t updates = 0;  ///< TrainState::updates
};

/// The training rows a rank owns and where the next step finds its images. All pointers are the
/// device's.
struct DeviceRows {
  int side = image_side;                      ///< of the images
  const std::uint8_t* pixels = nullptr;       ///< [rows][side][side], the owned shards one by one
  const std::uint8_t* labels = nullptr;       ///< [rows]
  std::uint32_t first_row = 0;                ///< of the file
  const std::uint32_t* orders = nullptr;      ///< [rows]: each shard's order, where its rows begin
  const std::int32_t* shard_begin = nullptr;  ///< [shards + 1], counted in rows from first_row
  int shards = 0;
};

/// Floats in which one image is augmented: its padded source, the elastic field, and one axis of it
/// half smoothed.
MNIST_DIST_HOST_DEVICE constexpr std::size_t augment_workspace(int side) {
  const auto stride = static_cast<std::size_t>(padded_stride(side));
  return stride * stride + 3 * static_cast<std::size_t>(side * side);
}

/// The images of a step, every owned shard's slice, as the network sees them.
struct DeviceBatch {
  float* images = nullptr;         ///< [slice * shards][side][side]
  std::int64_t* labels = nullptr;  ///< [slice * shards], no_image where a slice is short
  std::uint32_t* rows = nullptr;   ///< [slice * shards] rows of the file: keys of random draws
  float* workspace = nullptr;      ///< [slice * shards][augment_workspace(side)]
};

/// The label that losses ignore.
inline constexpr std::int64_t no_image = -100;

/// Where image i of shard k's slice lies in a batch.
enum class BatchOrder {
  by_image,  ///< i * shards + k: [slice][shards * channels] is then a view in which norm statistics
             ///< of a channel are a slice's
  by_shard,  ///< k * slice + i: a slice lies together
};

}  // namespace mnist_dist
