#pragma once
#include <span>
#include <vector>

#include "config/config.h"
#include "engine/engine.h"
#include "model/layout.h"

namespace mnist_dist {

/// SGD, averages and running statistics over flat vectors, one pass, from the total of a step
/// (FlatLayout::size() floats). Elementwise and written with fma, so that the bits are the same on
/// every CPU: g = total / images (+ decay * p by fma), m = momentum * m + g, p = fma(-rate, m, p),
/// Nesterov: p = fma(-rate, fma(momentum, m, g), p). The same bits as torch::optim::SGD on AVX2.
/// Running statistics: r = 0.9 r + 0.1 * sum / images. Averages: a += (1 - d) (p - a), d =
/// min(decay, (1 + t) / (10 + t)), t = updates before this one. Norm statistics are averaged in the
/// same way. Weights decay, gamma, beta and biases only with decay_norm.
class Update {
 public:
  Update(const FlatLayout& layout, const OptimizerConfig& optimizer, const AverageConfig& average);
  void apply(std::span<const float> total, float learning_rate, TrainState& state) const;

 private:
  /// Neighbouring tensors with the same decay.
  struct Run {
    std::size_t offset, size;
    float decay;
  };
  FlatLayout layout_;
  std::vector<Run> runs_;
  OptimizerConfig optimizer_;
  AverageConfig average_;
};

/// True when no element is infinite or NaN.
bool all_finite(std::span<const float> values);

}  // namespace mnist_dist
