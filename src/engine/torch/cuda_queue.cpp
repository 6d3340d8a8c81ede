#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <optional>

#include "engine/torch/device_queue.h"

namespace mnist_dist {
namespace {

class CudaQueue final : public DeviceQueue {
 public:
  // The default stream cannot be captured.
  CudaQueue(int device, bool record)
      : stream_(c10::cuda::getStreamFromPool(true, static_cast<c10::DeviceIndex>(device))),
        record_(record) {}

  /// A recording's memory goes back to the GPU: a sweep has one queue per seed, and LibTorch would
  /// keep all of it.
  ~CudaQueue() override {
    graph_.reset();
    try {
      c10::cuda::CUDACachingAllocator::emptyCache();
    } catch (const c10::Error&) {  // of a GPU that has failed, which is already reported
    }
  }

  at::Device device() const override { return stream_.device(); }
  Queue queue() const override { return {stream_.device_index(), stream_.stream()}; }
  std::shared_ptr<void> use() const override {
    return std::make_shared<c10::cuda::CUDAStreamGuard>(stream_);
  }

  bool can_record() const override { return record_; }
  void record(const std::function<void()>& work) override {
    stream_.synchronize();
    graph_.emplace();
    // Thread-local: other threads, NCCL's among them, may continue allocating meanwhile. LibTorch's
    // backward runs on a thread of its own, but its allocations come from the graph's pool, which
    // the allocator prepared for this stream.
    graph_->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      try {
        graph_->capture_end();
      } catch (...) {  // the first error matters
      }
      graph_.reset();
      throw;
    }
    graph_->capture_end();
  }
  void replay() override { graph_->replay(); }

  Reached mark() override {
    auto event = std::make_shared<at::cuda::CUDAEvent>();
    event->record(stream_);
    return [event] { return event->query(); };
  }

 private:
  c10::cuda::CUDAStream stream_;
  bool record_;
  std::optional<at::cuda::CUDAGraph> graph_;
};

}  // namespace

std::unique_ptr<DeviceQueue> make_cuda_queue(int device, bool record) {
  return std::make_unique<CudaQueue>(device, record);
}

}  // namespace mnist_dist
