#pragma once

// Marks functions that GPUs call too.
#ifdef __CUDACC__
#define MNIST_DIST_HOST_DEVICE __host__ __device__
#else
#define MNIST_DIST_HOST_DEVICE
#endif
