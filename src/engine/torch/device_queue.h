#pragma once
#include <torch/torch.h>

#include <functional>
#include <memory>

#include "base/queue.h"

namespace mnist_dist {

/// A queue of work on one device, and the operations that differ between devices. On the host
/// everything is done when a call returns.
class DeviceQueue {
 public:
  virtual ~DeviceQueue() = default;
  virtual at::Device device() const = 0;
  virtual Queue queue() const = 0;

  /// LibTorch's calls on this thread are enqueued here during the lifetime of the result.
  virtual std::shared_ptr<void> use() const = 0;

  /// True when a step can be recorded once and replayed.
  virtual bool can_record() const = 0;
  /// Records the calls of `work` instead of running them. Replaces an earlier recording. `work` can
  /// be called as long as the queue lives, and enqueues the same each time.
  virtual void record(const std::function<void()>& work) = 0;
  virtual void replay() = 0;

  /// A place in the queue, to test whether the device has reached it.
  using Reached = std::function<bool()>;
  virtual Reached mark() = 0;
};

std::unique_ptr<DeviceQueue> make_host_queue();
/// On a GPU. `record` false: steps are never recorded.
std::unique_ptr<DeviceQueue> make_cuda_queue(int device, bool record);

}  // namespace mnist_dist
