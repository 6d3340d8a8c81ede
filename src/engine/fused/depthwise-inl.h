// Convolution of each channel by a kernel of its own.
#if defined(MNIST_DIST_FUSED_DEPTHWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_DEPTHWISE_INL_H
#undef MNIST_DIST_FUSED_DEPTHWISE_INL_H
#else
#define MNIST_DIST_FUSED_DEPTHWISE_INL_H
#endif

#include "engine/fused/sliding-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

// A value serves kKernel sums of its own channel and no others, so loads are the limit: a block's
// sums and a row of its values stay in registers.
template <int kKernel>
constexpr int kMostDepthwiseColumns = kManyRegisters ? 8
                                      : kKernel == 3 ? 6
                                                     : 5;

/// out[column] = sum over rows and taps of weight * row[column + tap]. `weights` [row][tap].
template <int kTaps, int kColumns>
void depthwise_block(const float* const* row, int rows, std::size_t offset, const float* weights,
                     float* out) {
  V sum[kColumns];
  HWY_UNROLL(8)
  for (int x = 0; x < kColumns; ++x) sum[x] = hn::Zero(d);
  for (int r = 0; r < rows; ++r, weights += kTaps) {
    const float* at = row[r] + offset;
    V value[kColumns + kTaps - 1];
    HWY_UNROLL(16)
    for (int x = 0; x < kColumns + kTaps - 1; ++x) value[x] = load(at + x * kLanes);
    HWY_UNROLL(8)
    for (int tap = 0; tap < kTaps; ++tap) {
      const V weight = broadcast(weights[tap]);
      HWY_UNROLL(8)
      for (int x = 0; x < kColumns; ++x) sum[x] = mul_add(weight, value[x + tap], sum[x]);
    }
  }
  HWY_UNROLL(8)
  for (int x = 0; x < kColumns; ++x) store(sum[x], out + x * kLanes);
}

/// sums[y][x] += sum over rows and columns of gradient[row][column] * input[row + y][column + x],
/// one sum per lane. Offsets are the channel's.
template <int kKernel>
void depthwise_correlate(const CorrelationInput& in, std::size_t input_offset,
                         std::size_t gradient_offset, float* sums) {
  V sum[kKernel][kKernel];
  HWY_UNROLL(8)
  for (int y = 0; y < kKernel; ++y) HWY_UNROLL(8)
  for (int x = 0; x < kKernel; ++x)
    sum[y][x] = in.fresh ? hn::Zero(d) : load(sums + (y * kKernel + x) * kLanes);
  for (int row = 0; row < in.rows; ++row) {
    const float* const gradient = in.gradient_row[row] + gradient_offset;
    const float* input[kKernel];
    for (int y = 0; y < kKernel; ++y) input[y] = in.input_row[row + y] + input_offset;
    const std::ptrdiff_t end = static_cast<std::ptrdiff_t>(in.columns) * kLanes;
    for (std::ptrdiff_t at = 0; at < end; at += kLanes) {
      const V g = load(gradient + at);
      HWY_UNROLL(8)
      for (int y = 0; y < kKernel; ++y) HWY_UNROLL(8)
      for (int x = 0; x < kKernel; ++x)
        sum[y][x] = mul_add(g, load(input[y] + at + x * kLanes), sum[y][x]);
    }
  }
  HWY_UNROLL(8)
  for (int y = 0; y < kKernel; ++y) HWY_UNROLL(8)
  for (int x = 0; x < kKernel; ++x) store(sum[y][x], sums + (y * kKernel + x) * kLanes);
}

using DepthwiseBlock = void (*)(const float* const*, int, std::size_t, const float*, float*);

template <int kTaps, int... kMinusOne>
constexpr std::array<DepthwiseBlock, sizeof...(kMinusOne)> depthwise_blocks_of(
    std::integer_sequence<int, kMinusOne...>) {
  return {&depthwise_block<kTaps, kMinusOne + 1>...};
}
/// [columns - 1]
template <int kKernel>
constexpr auto depthwise_blocks =
    depthwise_blocks_of<kKernel>(std::make_integer_sequence<int, kMostDepthwiseColumns<kKernel>>{});

/// 3x3 and 5x5 kernels have loops of their own, with the order of sums of all others. For those a
/// channel is a convolution from one channel to one.
class DepthwiseConvolution final : public SlidingConvolution {
 public:
  explicit DepthwiseConvolution(const LayerPlan& plan)
      : SlidingConvolution(plan),
        forward_weights_(weight_count()),
        backward_weights_(weight_count()),
        channel_rows_(static_cast<std::size_t>(kernel_)) {}

  void use_weights(const float* parameters) override {
    std::copy_n(parameters + plan_.weight, weight_count(), forward_weights_.data());
    for (int channel = 0; channel < out_channels_; ++channel) {
      const float* const kernel = forward_weights_.data() + channel * taps();
      std::reverse_copy(kernel, kernel + taps(), backward_weights_.data() + channel * taps());
    }
  }

 private:
  int taps() const { return kernel_ * kernel_; }

  void write_row(const float* const* row, int rows, int skipped, Pass pass, float* out) override {
    const bool forward = pass == Pass::forward;
    const int side = forward ? out_side_ : in_side_;
    const std::size_t stride = forward ? in_stride_ : gradient_stride_;
    const float* weights =
        (forward ? forward_weights_ : backward_weights_).data() + skipped * kernel_;
    for (int channel = 0; channel < out_channels_;
         ++channel, weights += taps(), out += side * kLanes) {
      const std::size_t offset = static_cast<std::size_t>(channel) * stride;
      kernel_ == 3   ? convolve_blocks<3>(row, rows, offset, weights, side, out)
      : kernel_ == 5 ? convolve_blocks<5>(row, rows, offset, weights, side, out)
                     : convolve_any(row, rows, offset, weights, side, out);
    }
  }
  template <int kKernel>
  static void convolve_blocks(const float* const* row, int rows, std::size_t offset,
                              const float* weights, int columns, float* out) {
    const int parts = part_count(columns, kMostDepthwiseColumns<kKernel>);
    for (int part = 0; part < parts; ++part) {
      const int column = part_begin(part, parts, columns),
                width = part_begin(part + 1, parts, columns) - column;
      depthwise_blocks<kKernel>[static_cast<std::size_t>(width - 1)](
          row, rows, offset + static_cast<std::size_t>(column * kLanes), weights,
          out + column * kLanes);
    }
  }
  void convolve_any(const float* const* row, int rows, std::size_t offset, const float* weights,
                    int columns, float* out) {
    for (int r = 0; r < rows; ++r) channel_rows_[static_cast<std::size_t>(r)] = row[r] + offset;
    convolve_row({.row = channel_rows_.data(),
                  .rows = rows,
                  .channels = 1,
                  .channel_stride = 0,
                  .taps = kernel_},
                 rows, 0, weights, 1, columns, out, 0);
  }

  void add_weight_gradient(const CorrelationInput& input) override {
    for (int channel = 0; channel < out_channels_; ++channel) {
      const auto c = static_cast<std::size_t>(channel);
      const std::size_t gradient_offset =
          c * gradient_stride_ + static_cast<std::size_t>(gradient_padding_ * kLanes);
      float* const sums = sums_ + channel * taps() * kLanes;
      if (kernel_ == 3)
        depthwise_correlate<3>(input, c * in_stride_, gradient_offset, sums);
      else if (kernel_ == 5 && kManyRegisters)  // for its 25 sums
        depthwise_correlate<5>(input, c * in_stride_, gradient_offset, sums);
      else
        correlate_rows(input, 1, gradient_offset, taps_.data() + channel * taps(), taps(), sums);
    }
  }

  Buffer<float> forward_weights_,
      backward_weights_;  // [channel][kernel][kernel], as they are and turned round
  std::vector<const float*> channel_rows_;
};

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
