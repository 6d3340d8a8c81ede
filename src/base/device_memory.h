#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "base/queue.h"

namespace mnist_dist {

/// Zeroed bytes in a device's memory, or the host's for device -1.
/// Throws: Error (device) when there is not enough memory.
std::shared_ptr<void> device_allocate(int device, std::size_t bytes);

/// The same in the host's memory, where the device can copy to by itself.
std::shared_ptr<void> pinned_allocate(int device, std::size_t bytes);

/// Copies between the host and the queue's memory, in both directions, after all enqueued work. The
/// copy is complete when it returns.
void copy_memory(const Queue& queue, void* to, const void* from, std::size_t bytes);

/// The same, but only enqueued where the queue is a device's. The host's memory is then pinned.
void enqueue_copy(const Queue& queue, void* to, const void* from, std::size_t bytes);

/// Numbers in a queue's memory.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const Queue& queue, std::size_t size)
      : memory_(device_allocate(queue.device, size * sizeof(T))), size_(size) {}
  DeviceArray(const Queue& queue, std::span<const T> values) : DeviceArray(queue, values.size()) {
    upload(queue, values);
  }
  T* data() const { return static_cast<T*>(memory_.get()); }
  std::size_t size() const { return size_; }
  void upload(const Queue& queue, std::span<const T> values) const {
    copy_memory(queue, data(), values.data(), values.size_bytes());
  }
  void download(const Queue& queue, std::span<T> values) const {
    copy_memory(queue, values.data(), data(), values.size_bytes());
  }

 private:
  std::shared_ptr<void> memory_;
  std::size_t size_ = 0;
};

}  // namespace mnist_dist
