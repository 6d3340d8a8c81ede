#include "engine/torch/library.h"

#include <torch/torch.h>

#include <string_view>

#include "base/error.h"
#include "engine/host_engine.h"
#include "engine/torch/cuda_library.h"
#include "engine/torch/plain_loop.h"
#include "engine/torch/torch_worker.h"
#include "engine/torch/torchscript.h"

extern "C" __attribute__((weak)) char* openblas_get_config();

namespace mnist_dist {
namespace {

/// The SIMD level that LibTorch's own kernels were chosen for: "AVX2". Only its configuration text
/// has it in every version.
std::string cpu_capability() {
  constexpr std::string_view key = "CPU capability usage: ";
  const std::string text = at::show_config();
  const auto at = text.find(key);
  if (at == std::string::npos) return "unknown";
  const auto first = at + key.size();
  return text.substr(first, text.find_first_of(" \n", first) - first);
}

EngineInfo torch_info() {
  EngineInfo info{.name = "torch",
                  .device = "cpu",
                  .simd = cpu_capability(),
                  .versions = {{"libtorch", TORCH_VERSION}}};
  if (at::hasMKL())
    info.versions["blas"] = at::get_mkl_version();
  else
    info.versions["blas"] = openblas_get_config ? openblas_get_config() : "not OpenBLAS";
  info.versions["onednn"] = at::get_mkldnn_version();
  return info;
}

std::unique_ptr<Engine> make_torch_engine(const EngineOptions& options) {
  use_one_torch_thread();
  EngineInfo info = torch_info();
  if (!options.simd.empty() && options.simd != info.simd)
    throw usage_error("the torch engine computes with " + info.simd + ", not with " + options.simd,
                      "set ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA instead, which LibTorch "
                      "reads at its start");
  return make_host_engine(options, std::move(info),
                          [&options] { return make_torch_worker(options); });
}

#if MNIST_DIST_CUDA
const TorchLibrary library{make_torch_engine, make_plain_loop, torchscript_file, &cuda_library()};
#else
const TorchLibrary library{make_torch_engine, make_plain_loop, torchscript_file, nullptr};
#endif

}  // namespace
}  // namespace mnist_dist

extern "C" __attribute__((visibility("default"))) const mnist_dist::TorchLibrary*
mnist_dist_torch_library() {
  return &mnist_dist::library;
}
