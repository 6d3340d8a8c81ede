#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "config/config.h"
#include "data/augment.h"
#include "engine/slice_worker.h"
#include "model/layout.h"

namespace mnist_dist {

/// Result of a training step for a slice, in double, one value after the other as in the
/// definitions. Slow, and simple enough to be obviously right.
struct ReferenceResult {
  double loss = 0;  ///< sum over images
  int correct = 0;
  std::vector<double> gradient;             ///< as FlatLayout
  std::vector<double> norm_statistics;      ///< as FlatLayout: n * mean, n * unbiased variance
  std::vector<std::vector<double>> logits;  ///< [image][class]
  /// How close the closest decision was: a ReLU's input to 0, a max-pool's largest value to its
  /// second, both in root mean squares of that map. Below that, different rounding may decide
  /// otherwise, and send a gradient elsewhere. Values that are equal for a reason (dropped ones, a
  /// constant background) don't count.
  double least_margin = std::numeric_limits<double>::infinity();
};

ReferenceResult reference_train(const Config& config, const Normalisation& normalisation,
                                const Slice& slice, std::span<const double> parameters);

/// The same without gradients.
ReferenceResult reference_forward(const Config& config, const Normalisation& normalisation,
                                  const Slice& slice, std::span<const double> parameters);

/// Evaluation with running statistics: logits [image][class].
std::vector<std::vector<double>> reference_logits(const Config& config,
                                                  const Normalisation& normalisation,
                                                  std::span<const std::uint8_t* const> images,
                                                  std::span<const float> parameters,
                                                  std::span<const float> norm_statistics);

}  // namespace mnist_dist
