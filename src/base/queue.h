#pragma once

namespace mnist_dist {

/// Where an engine's work is enqueued. On the host a call has done its work when it returns.
struct Queue {
  int device = -1;         ///< CUDA device, -1: the host
  void* stream = nullptr;  ///< cudaStream_t of a device
};

}  // namespace mnist_dist
