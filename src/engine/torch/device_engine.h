#pragma once
#include <memory>

#include "engine/engine.h"
#include "engine/torch/device_queue.h"

namespace mnist_dist {

/// Engine on one device: all owned slices of a step go through LibTorch's operators as one batch,
/// and everything else of the step through our own kernels (engine/device/), so that a step touches
/// the host only to be enqueued. Where the queue can record, a step is recorded after three and
/// replayed from then on. Norm layers see a slice's channels as channels of their own, so that no
/// loop over slices is needed. The batch's gradient is one sum: bits depend on how many shards a
/// rank owns. With options.per_slice each slice is computed by itself, at the cost of a loop, and
/// they do not.
std::unique_ptr<Engine> make_device_engine(const EngineOptions& options, EngineInfo info,
                                           std::unique_ptr<DeviceQueue> queue);

}  // namespace mnist_dist
