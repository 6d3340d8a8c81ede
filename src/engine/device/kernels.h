#pragma once
#include <cstddef>
#include <cstdint>

#include "base/queue.h"
#include "data/augment.h"
#include "engine/device/batch.h"
#include "model/spec.h"

namespace mnist_dist {

// Kernels of a device engine besides the network. All of it is enqueued. Pointers are the queue's
// device's (the host's for device -1), and everything that changes from step to step is read from
// the device's memory, so that a recorded step can be replayed.

/// False when this program has no code for the GPU.
bool kernels_run_on(int device);

/// Fills the batch with the slices of step `progress->step`: gathered, augmented and normalised as
/// augment_image does.
void enqueue_batch(const Queue& queue, const DeviceRows& rows, const DeviceEpoch* epoch,
                   const DeviceProgress* progress, std::uint64_t seed,
                   const Normalisation& normalisation, int slice, BatchOrder order,
                   const DeviceBatch& batch);

/// Decodes `count` images without augmentation: pixels [count][side][side] -> images, likewise.
void enqueue_decode(const Queue& queue, const std::uint8_t* pixels, int count, int side,
                    const Normalisation& normalisation, float* images);

/// factors [count][elements]: 0 where dropout_mask drops, else the rule's scale.
void enqueue_dropout(const Queue& queue, const DropoutRule& rule, const DeviceEpoch* epoch,
                     std::uint64_t seed, std::uint32_t layer, const std::uint32_t* rows, int count,
                     int elements, float* factors);

/// A step's result but for the gradient, which lies in the vector already.
struct VectorTail {
  std::size_t parameter_count = 0, norm_count = 0;  ///< FlatLayout's
  const float* logits = nullptr;                    ///< [count][classes]
  const std::int64_t* labels = nullptr;             ///< [count]
  int count = 0, classes = 0;
  const float* loss = nullptr;  ///< sum over the images
  /// Element e of the vector's norm statistics is the sum of `parts` values, from
  /// statistics[first[e]] on and stride[e] apart, times the part's images.
  const float* statistics = nullptr;
  const std::int32_t *first = nullptr, *stride = nullptr;  ///< [norm_count]
  int parts = 1;
  const std::int32_t* stop = nullptr;  ///< the host's wish to stop
  float* vector = nullptr;             ///< FlatLayout::size() floats
};
/// Completes a flat vector: norm statistics, images, loss, correct (the lowest of equal logits
/// counts), stop flag.
void enqueue_tail(const Queue& queue, const VectorTail& tail);

/// Update (engine/update.h) on a device. The same bits.
struct DeviceUpdate {
  std::size_t parameter_count = 0, norm_count = 0;
  const float* total = nullptr;  ///< the step's vector, added over all shards
  const float* rates = nullptr;  ///< learning rates of the epoch, [steps]
  const float* decay = nullptr;  ///< weight decay of each parameter
  float momentum = 0;
  bool nesterov = false;
  double average_decay = 0;  ///< 0: no averages
  float *parameters = nullptr, *velocity = nullptr, *norm_statistics = nullptr;
  float *average_parameters = nullptr, *average_norm_statistics = nullptr;
  DeviceProgress* progress = nullptr;
};
/// Applies a step and advances `progress`. If the total is not finite, the step only advances
/// `progress`. So does every step after that one, or after a stop.
void enqueue_update(const Queue& queue, const DeviceUpdate& update);

}  // namespace mnist_dist
