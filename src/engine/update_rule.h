#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/host_device.h"

// The update's formulas (described in engine/update.h), one element at a time. The host's loops and
// the GPU's threads share them.

namespace mnist_dist {

/// Neither infinite nor NaN: those, and only those, have an exponent of all ones.
MNIST_DIST_HOST_DEVICE [[gnu::always_inline]] inline bool is_finite(float value) {
  constexpr std::uint32_t exponent = 0x7f800000;
  return (std::bit_cast<std::uint32_t>(value) & exponent) != exponent;
}

/// The constants of one SGD step.
struct SgdStep {
  float images, rate, momentum, decay;
  bool nesterov;
};

MNIST_DIST_HOST_DEVICE [[gnu::always_inline]] inline void sgd_element(float sum, float& parameter,
                                                                      float& velocity,
                                                                      const SgdStep& step) {
  float gradient = sum / step.images;
  const float decayed = std::fma(step.decay, parameter, gradient);
  gradient = step.decay != 0 ? decayed : gradient;  // not 0 * p: an infinite p would turn into NaN
  velocity = step.momentum * velocity + gradient;
  const float ahead = std::fma(step.momentum, velocity, gradient);
  parameter = std::fma(-step.rate, step.nesterov ? ahead : velocity, parameter);
}

/// How much of the weights an average takes up after `updates` earlier ones.
MNIST_DIST_HOST_DEVICE inline float average_share(double average_decay, std::int64_t updates) {
  const auto before = static_cast<double>(updates);
  return static_cast<float>(1 - std::min(average_decay, (1 + before) / (10 + before)));
}

/// average += share * (value - average)
MNIST_DIST_HOST_DEVICE [[gnu::always_inline]] inline void average_element(float value,
                                                                          float& average,
                                                                          float share) {
  average = std::fma(share, value - average, average);
}

/// running = 0.9 running + 0.1 sum / images
MNIST_DIST_HOST_DEVICE [[gnu::always_inline]] inline void running_element(float sum, float& running,
                                                                          float images) {
  running = std::fma(0.1f, sum / images, 0.9f * running);
}

}  // namespace mnist_dist
