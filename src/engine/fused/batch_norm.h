#pragma once
#include <vector>

#include "engine/fused/buffer.h"
#include "engine/fused/plan.h"

namespace mnist_dist::fused {

/// Norm and dropout's scale of a channel as multiply-adds:
///   x = scale * value + shift
///   gradient of value = from_gradient * (gradient of x) + from_value * value + constant
struct ChannelFactors {
  float scale = 1, shift = 0;
  float from_gradient = 1, from_value = 0, constant = 0;
  float mean = 0, inverse_deviation = 1;  ///< of the slice
};

/// One float per image each. Forward, pivot is the image's first value, and the sums are those of
/// value - pivot and of its square. Backward, they are those of the gradient of x and of its
/// product with value - mean.
struct ChannelSums {
  float *pivot, *first, *second;
};

/// Batch norm of one layer: from sums per image to statistics, factors of each channel and
/// gradients of gamma and beta. It has no maps: Activation gathers the sums, applies the factors
/// and documents the order of the calls. Without norm, the only factor is dropout's scale.
class BatchNorm {
 public:
  /// For passes of up to `images` images.
  BatchNorm(const LayerPlan& plan, int images);

  /// Before a pass of `images` images. `parameters` must stay valid until it ends.
  void begin(const float* parameters, int images, bool training);
  /// Computes scale and shift from the forward sums. Writes mean and variance, times the number of
  /// images, to `out`.
  void use_batch_statistics(float* out);
  /// Computes scale and shift from running statistics.
  void use_running_statistics(const float* statistics);
  /// Computes the factors of gradients from the backward sums. Writes the gradients of gamma and
  /// beta into the flat gradient `out`.
  void write_gradients(float* out);

  const ChannelFactors& factors(int channel) const {
    return factors_[static_cast<std::size_t>(channel)];
  }
  /// From image `first` on.
  ChannelSums sums_of(int channel, int first) const {
    float* const at = sums_.data() + 3 * channel * capacity_ + first;
    return {at, at + capacity_, at + 2 * capacity_};
  }

 private:
  LayerPlan plan_;
  int channels_, capacity_;  // capacity: images
  double pixels_;            // per map
  std::vector<ChannelFactors> factors_;
  Buffer<float> sums_;  // [channel][pivot, first, second][image]
  const float *gamma_ = nullptr, *beta_ = nullptr;
  int images_ = 0;
};

}  // namespace mnist_dist::fused
