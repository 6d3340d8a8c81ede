#pragma once
#include "engine/torch/library.h"

namespace mnist_dist {

/// Engine "torch-cuda" and its GPUs.
const GpuLibrary& cuda_library();

}  // namespace mnist_dist
