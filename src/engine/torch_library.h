#pragma once
#include <filesystem>

#include "engine/torch/library.h"

namespace mnist_dist {

/// Path of the torch engine's library.
/// Throws: Error (device) when it was not built or installed.
std::filesystem::path torch_library_path();

/// That library, which the first call opens.
/// Throws: Error (device) when it cannot be opened.
const TorchLibrary& torch_library();

/// Its functions for GPUs.
/// Throws: Error (device) when it cannot be opened, or was not built for GPUs.
const GpuLibrary& gpu_library();

/// One more of its functions for GPUs, by name.
/// Throws: as gpu_library.
void* gpu_library_symbol(const char* name);

}  // namespace mnist_dist
