#pragma once
#include "engine/torch/library.h"

namespace mnist_dist {

/// Engine "torch-cuda" and the communicators that go with it.
const GpuLibrary& cuda_library();

}  // namespace mnist_dist
