#include "engine/torch/cuda_library.h"

#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include "base/error.h"
#include "engine/device/kernels.h"
#include "engine/torch/device_engine.h"
#include "engine/torch/on_device.h"
#include "engine/torch/torch_worker.h"

namespace mnist_dist {
namespace {

GpuCount count() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error == cudaSuccess && devices > 0) return {devices};
  int driver = 0;
  cudaDriverGetVersion(&driver);  // stays 0 without one
  cudaGetLastError();             // or the next call would report it again
  if (driver == 0) return {0, "no NVIDIA driver is loaded"};
  return {0, error == cudaSuccess ? "the driver shows none" : cudaGetErrorString(error)};
}

std::string id(int gpu) {
  cudaDeviceProp card{};
  if (cudaGetDeviceProperties(&card, gpu) == cudaSuccess)
    return {card.uuid.bytes, sizeof card.uuid.bytes};
  cudaGetLastError();  // or the next call would report it again
  return "";
}

// No fmt here: LibTorch's headers bring a different version of it than the one we link.
std::string dotted(int major, int minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

cudaDeviceProp properties_of(int gpu) {
  cudaDeviceProp card{};
  const cudaError_t error = cudaGetDeviceProperties(&card, gpu);
  if (error == cudaSuccess) return card;
  throw device_error("GPU " + std::to_string(gpu) + " cannot be used: " + cudaGetErrorString(error),
                     "run mnist-dist doctor, or give --device cpu");
}

/// CUDA's own words for a card that nothing was built for are "no kernel image is available".
void check(int gpu) {
  const cudaDeviceProp card = properties_of(gpu);
  if (kernels_run_on(gpu)) return;
  throw device_error(
      "GPU " + std::to_string(gpu) + " is a " + card.name + " of compute capability " +
          dotted(card.major, card.minor) +
          ", for which this program has no code (it has: " MNIST_DIST_CUDA_ARCHITECTURES ")",
      "build with the CUDA and LibTorch for this card (docs/gpu.md) and "
      "-DMNIST_DIST_CUDA_ARCHITECTURES, or give --device cpu");
}

EngineInfo info_of(const cudaDeviceProp& card) {
  int runtime = 0, nccl = 0;
  cudaRuntimeGetVersion(&runtime);
  ncclGetVersion(&nccl);
  EngineInfo info{.name = "torch-cuda",
                  .device = card.name,
                  .simd = "sm_" + std::to_string(card.major) + std::to_string(card.minor),
                  .versions = {}};
  info.versions["libtorch"] = TORCH_VERSION;
  info.versions["cuda"] = dotted(runtime / 1000, runtime % 1000 / 10);
  info.versions["cudnn"] = std::to_string(at::detail::getCUDAHooks().versionCuDNN());
  info.versions["nccl"] =
      dotted(nccl / 10000, nccl % 10000 / 100) + "." + std::to_string(nccl % 100);
  return info;
}

/// Runs must give the same bits again: no TF32, no algorithm that is chosen by timing or that adds
/// in any order.
void make_reproducible() {
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

std::unique_ptr<Engine> make_engine(const EngineOptions& options) {
  const int device = options.gpu;
  if (!options.simd.empty())
    throw usage_error(
        "the torch-cuda engine computes on the GPU, without --simd (got " + options.simd + ")",
        "leave --simd out");
  check(device);
  return on_device([&] {
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
    make_reproducible();
    use_one_torch_thread();
    return make_device_engine(options, info_of(properties_of(device)),
                              make_cuda_queue(device, options.replay));
  });
}

constexpr GpuLibrary gpu_library{count, id, check, make_engine};

}  // namespace

const GpuLibrary& cuda_library() { return gpu_library; }

}  // namespace mnist_dist
