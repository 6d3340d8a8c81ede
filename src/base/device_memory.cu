#include <algorithm>
#include <cstring>
#include <new>

#include "base/device_memory.h"
#include "base/kernel.h"

namespace mnist_dist {
namespace {

#ifdef __CUDACC__
void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess)
    throw device_error(std::string(what) + ": " + cudaGetErrorString(error),
                       "run mnist-dist doctor, and see what else uses this GPU");
}
#endif

}  // namespace

std::shared_ptr<void> device_allocate(int device, std::size_t bytes) {
  const std::size_t size = std::max<std::size_t>(bytes, 64);
  if (device < 0) {
    void* const memory = ::operator new (size, std::align_val_t{64});
    std::memset(memory, 0, size);
    return {memory, [](void* p) { ::operator delete (p, std::align_val_t{64}); }};
  }
#ifdef __CUDACC__
  void* memory = nullptr;
  check(cudaSetDevice(device), "the GPU cannot be used");
  check(cudaMalloc(&memory, size), "the GPU's memory cannot be allocated");
  std::shared_ptr<void> owner(memory, [](void* p) { cudaFree(p); });
  check(cudaMemset(memory, 0, size), "the GPU failed");
  check(cudaStreamSynchronize(nullptr),
        "the GPU failed");  // other queues do not wait for the default one
  return owner;
#else
  throw internal_error("memory of a GPU in a build without CUDA");
#endif
}

std::shared_ptr<void> pinned_allocate(int device, std::size_t bytes) {
  if (device < 0) return device_allocate(device, bytes);
#ifdef __CUDACC__
  void* memory = nullptr;
  check(cudaSetDevice(device), "the GPU cannot be used");
  check(cudaMallocHost(&memory, bytes), "pinned memory cannot be allocated");
  std::memset(memory, 0, bytes);
  return {memory, [](void* p) { cudaFreeHost(p); }};  // fails only after another failure of the GPU
#else
  throw internal_error("memory for a GPU in a build without CUDA");
#endif
}

void copy_memory(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  enqueue_copy(queue, to, from, bytes);
#ifdef __CUDACC__
  if (queue.device >= 0)
    check(cudaStreamSynchronize(static_cast<cudaStream_t>(queue.stream)), "the GPU failed");
#endif
}

void enqueue_copy(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  if (queue.device < 0) {
    if (bytes > 0) std::memcpy(to, from, bytes);
    return;
  }
#ifdef __CUDACC__
  check(
      cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, static_cast<cudaStream_t>(queue.stream)),
      "copying to or from the GPU failed");
#endif
}

}  // namespace mnist_dist
