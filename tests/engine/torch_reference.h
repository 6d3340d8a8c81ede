#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "engine/slice_worker.h"

namespace mnist_dist {

/// The right result of a slice's training, in double.
struct ReferenceResult {
  std::vector<double> gradient, means,
      variances;  ///< the last two of all norm layers: of the slice, variances unbiased
  double loss = 0;
};

/// The network written down once more, in double: batch norm, dropout, softmax and the smoothed
/// loss from their formulas, convolution and pooling and backward from LibTorch.
ReferenceResult torch_reference(const EngineOptions& options, const Slice& slice,
                                std::span<const double> parameters);

}  // namespace mnist_dist
