#pragma once
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/slice_worker.h"

namespace mnist_dist {

/// docs/arithmetic.md in plain loops, one image and one number at a time: what the fused engine's
/// worker makes of a slice (FlatLayout), to the bit. It shares no code with the kernels.
std::vector<float> arithmetic_train(const EngineOptions& options, const Slice& slice,
                                    std::span<const float> parameters);

}  // namespace mnist_dist
