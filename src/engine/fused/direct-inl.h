// Convolution of any kernel size and padding, as defined. A linear layer is one whose kernel covers
// its input.
#if defined(MNIST_DIST_FUSED_DIRECT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_DIRECT_INL_H
#undef MNIST_DIST_FUSED_DIRECT_INL_H
#else
#define MNIST_DIST_FUSED_DIRECT_INL_H
#endif

#include "engine/fused/sliding-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

class DirectConvolution final : public SlidingConvolution {
 public:
  explicit DirectConvolution(const LayerPlan& plan)
      : SlidingConvolution(plan),
        forward_weights_(weight_count()),
        backward_weights_(weight_count()) {}

  void use_weights(const float* parameters) override {
    const float* weights = parameters + plan_.weight;
    const std::ptrdiff_t in = kernel_ * kernel_, out = in_channels_ * in;
    pack_weights(weights, {out, kernel_, in, 1}, out_channels_, kernel_, in_channels_, kernel_,
                 kMostChannels, forward_weights_.data());
    pack_weights(weights + in - 1, {in, -kernel_, out, -1}, in_channels_, kernel_, out_channels_,
                 kernel_, kMostChannels, backward_weights_.data());
  }

 private:
  void write_row(const float* const* row, int rows, int skipped, Pass pass, float* out) override {
    if (pass == Pass::forward)
      write({.row = row,
             .rows = rows,
             .channels = in_channels_,
             .channel_stride = in_stride_,
             .taps = kernel_},
            skipped, forward_weights_, out_channels_, out_side_, out);
    else
      write({.row = row,
             .rows = rows,
             .channels = out_channels_,
             .channel_stride = gradient_stride_,
             .taps = kernel_},
            skipped, backward_weights_, in_channels_, in_side_, out);
  }
  void write(const ConvolutionInput& input, int skipped, const Buffer<float>& weights,
             int out_channels, int out_side, float* out) const {
    convolve_row(input, kernel_, skipped, weights.data(), out_channels, out_side, out,
                 static_cast<std::size_t>(out_side * kLanes));
  }
  void add_weight_gradient(const CorrelationInput& input) override {
    correlate_rows(input, out_channels_, static_cast<std::size_t>(gradient_padding_ * kLanes),
                   taps_.data(), static_cast<int>(taps_.size()), sums_);
  }

  Buffer<float> forward_weights_, backward_weights_;
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
