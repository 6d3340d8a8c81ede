#pragma once
#ifdef __CUDACC__
#include <cuda_runtime_api.h>
#endif

#include "base/error.h"
#include "base/host_device.h"
#include "base/queue.h"

// Kernels that run on a GPU and on the host from one source, so that a GPU's computation is tested
// without one.

namespace mnist_dist {

/// The threads that work on one block together: those of a CUDA block, or the calling thread alone.
struct Team {
#ifdef __CUDA_ARCH__
#define MNIST_DIST_ON_DEVICE(device, host) device
#else
#define MNIST_DIST_ON_DEVICE(device, host) host
#endif
  MNIST_DIST_HOST_DEVICE int thread() const {
    return MNIST_DIST_ON_DEVICE(static_cast<int>(threadIdx.x), 0);
  }
  MNIST_DIST_HOST_DEVICE int threads() const {
    return MNIST_DIST_ON_DEVICE(static_cast<int>(blockDim.x), 1);
  }
  MNIST_DIST_HOST_DEVICE void sync() const { MNIST_DIST_ON_DEVICE(__syncthreads(), void()); }
#undef MNIST_DIST_ON_DEVICE
};

#ifdef __CUDACC__
// The bounds keep the compiler from giving a thread more registers than a block of that size can
// have, and the 1 keeps it from spilling them to fit in more blocks.
template <class Kernel>
__global__ void __launch_bounds__(Kernel::block_threads, 1) run_kernel(Kernel kernel) {
  using Scratch = typename Kernel::Scratch;
  __shared__ alignas(
      Scratch) unsigned char memory[sizeof(Scratch)];  // shared memory is not constructed
  kernel(Team{}, static_cast<int>(blockIdx.x), *reinterpret_cast<Scratch*>(memory));
}
#endif

/// Runs kernel(team, block, scratch) for `blocks` blocks of Kernel::block_threads threads: enqueued
/// on a device's queue, at once on the host. Scratch is memory that a block's threads share. It
/// starts undefined.
/// Throws: Error (device) when the device does not take it.
template <class Kernel>
void launch(const Queue& queue, int blocks, const Kernel& kernel) {
  static_assert(Kernel::block_threads % 32 == 0);  // whole warps
  if (queue.device < 0) {
    typename Kernel::Scratch scratch;
    for (int block = 0; block < blocks; ++block) kernel(Team{}, block, scratch);
    return;
  }
#ifdef __CUDACC__
  run_kernel<<<static_cast<unsigned>(blocks), Kernel::block_threads, 0,
               static_cast<cudaStream_t>(queue.stream)>>>(kernel);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess)
    throw device_error(std::string("the GPU rejected a kernel: ") + cudaGetErrorString(error),
                       "run mnist-dist doctor");
#else
  throw internal_error("a kernel for a GPU in a build without CUDA");
#endif
}

}  // namespace mnist_dist
