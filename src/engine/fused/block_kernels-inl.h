// The loops of convolutions as defined, on small blocks of sums that stay in registers.
#if defined(MNIST_DIST_FUSED_BLOCK_KERNELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_BLOCK_KERNELS_INL_H
#undef MNIST_DIST_FUSED_BLOCK_KERNELS_INL_H
#else
#define MNIST_DIST_FUSED_BLOCK_KERNELS_INL_H
#endif

#include <array>
#include <utility>

#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

// A block of kMostChannels x kMostColumns sums, its inputs and a weight fill the registers: per
// multiply-add (4 + 6) / 24 loads with 32 of them, (4 + 3) / 12 with 16.
constexpr int kMostChannels = 4;
constexpr int kMostColumns = kManyRegisters ? 6 : 3;

/// Input rows of a convolution: `rows` rows of [channel][column][lanes].
struct ConvolutionInput {
  const float* const* row;
  int rows;
  int channels;
  std::size_t channel_stride;  ///< floats
  int taps;                    ///< neighbouring columns that a sum reads
};

/// out[channel][column] = sum over rows, input channels and taps of weight * input[row][input
/// channel][column + tap]. `weights` [row][input channel][tap][kChannels].
template <int kChannels, int kColumns>
void convolve_block(const ConvolutionInput& in, int column, const float* weights, float* out,
                    std::size_t out_stride) {
  V sum[kChannels][kColumns];
  HWY_UNROLL(8)
  for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
  for (int x = 0; x < kColumns; ++x) sum[c][x] = hn::Zero(d);
  for (int row = 0; row < in.rows; ++row) {
    const float* channel_at = in.row[row] + column * kLanes;
    for (int channel = 0; channel < in.channels; ++channel, channel_at += in.channel_stride) {
      const float* at = channel_at;
      for (int tap = 0; tap < in.taps; ++tap, at += kLanes, weights += kChannels) {
        V value[kColumns];
        HWY_UNROLL(8)
        for (int x = 0; x < kColumns; ++x) value[x] = load(at + x * kLanes);
        HWY_UNROLL(8)
        for (int c = 0; c < kChannels; ++c) {
          const V weight = broadcast(weights[c]);
          HWY_UNROLL(8)
          for (int x = 0; x < kColumns; ++x) sum[c][x] = mul_add(weight, value[x], sum[c][x]);
        }
      }
    }
  }
  HWY_UNROLL(8)
  for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
  for (int x = 0; x < kColumns; ++x)
    store(sum[c][x], out + static_cast<std::size_t>(c) * out_stride + x * kLanes);
}

/// Rows of a layer's input and of its gradient, for a weight gradient.
struct CorrelationInput {
  const float* const*
      input_row;  ///< row r of the gradient meets tap t of input row input_row[r + tap row]
  const float* const* gradient_row;  ///< [channel][column][lanes]
  std::size_t gradient_stride;       ///< floats from channel to channel
  int rows, columns;
  bool fresh;  ///< sums start at 0, not at the memory's contents
};

/// An element of a weight: which input row it reads (from the first) and where in it.
struct Tap {
  int row;
  std::size_t offset;
};

/// sums[channel][tap] += sum over rows and columns of gradient[row][channel][column] * input[row +
/// tap.row][tap.offset + column], one sum per lane.
template <int kChannels, int kTaps>
void correlate_block(const CorrelationInput& in, const Tap* taps, std::size_t gradient_offset,
                     float* sums, std::size_t sums_stride) {
  V sum[kChannels][kTaps];
  if (in.fresh) {
    HWY_UNROLL(8)
    for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
    for (int t = 0; t < kTaps; ++t) sum[c][t] = hn::Zero(d);
  } else {
    HWY_UNROLL(8)
    for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
    for (int t = 0; t < kTaps; ++t)
      sum[c][t] = load(sums + static_cast<std::size_t>(c) * sums_stride + t * kLanes);
  }
  for (int row = 0; row < in.rows; ++row) {
    const float* gradient = in.gradient_row[row] + gradient_offset;
    const float* input[kTaps];
    HWY_UNROLL(8)
    for (int t = 0; t < kTaps; ++t) input[t] = in.input_row[row + taps[t].row] + taps[t].offset;
    const std::ptrdiff_t end = static_cast<std::ptrdiff_t>(in.columns) * kLanes;
    for (std::ptrdiff_t at = 0; at < end; at += kLanes) {
      V g[kChannels];
      HWY_UNROLL(8)
      for (int c = 0; c < kChannels; ++c)
        g[c] = load(gradient + static_cast<std::size_t>(c) * in.gradient_stride + at);
      HWY_UNROLL(8)
      for (int t = 0; t < kTaps; ++t) {
        const V value = load(input[t] + at);
        HWY_UNROLL(8)
        for (int c = 0; c < kChannels; ++c) sum[c][t] = mul_add(g[c], value, sum[c][t]);
      }
    }
  }
  HWY_UNROLL(8)
  for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
  for (int t = 0; t < kTaps; ++t)
    store(sum[c][t], sums + static_cast<std::size_t>(c) * sums_stride + t * kLanes);
}

using ConvolveBlock = void (*)(const ConvolutionInput&, int, const float*, float*, std::size_t);
using CorrelateBlock = void (*)(const CorrelationInput&, const Tap*, std::size_t, float*,
                                std::size_t);

template <int kChannels, int... kMinusOne>
constexpr std::array<ConvolveBlock, sizeof...(kMinusOne)> convolve_blocks_of(
    std::integer_sequence<int, kMinusOne...>) {
  return {&convolve_block<kChannels, kMinusOne + 1>...};
}
template <int kChannels, int... kMinusOne>
constexpr std::array<CorrelateBlock, sizeof...(kMinusOne)> correlate_blocks_of(
    std::integer_sequence<int, kMinusOne...>) {
  return {&correlate_block<kChannels, kMinusOne + 1>...};
}
using Columns = std::make_integer_sequence<int, kMostColumns>;

/// [channels - 1][columns or taps - 1]
constexpr std::array<std::array<ConvolveBlock, kMostColumns>, kMostChannels> convolve_blocks{
    convolve_blocks_of<1>(Columns{}), convolve_blocks_of<2>(Columns{}),
    convolve_blocks_of<3>(Columns{}), convolve_blocks_of<4>(Columns{})};
constexpr std::array<std::array<CorrelateBlock, kMostColumns>, kMostChannels> correlate_blocks{
    correlate_blocks_of<1>(Columns{}), correlate_blocks_of<2>(Columns{}),
    correlate_blocks_of<3>(Columns{}), correlate_blocks_of<4>(Columns{})};

/// Where weight (channel, row, input channel, tap) of a convolution lies, floats apart. Negative to
/// turn a kernel round.
struct WeightStrides {
  std::ptrdiff_t channel, row, in_channel, tap;
};

/// Weights in the order in which convolve_block and multiply_block read them, block of at most
/// `most_channels` channels after block.
inline void pack_weights(const float* weights, const WeightStrides& strides, int channels, int rows,
                         int in_channels, int taps, int most_channels, float* packed) {
  const int parts = part_count(channels, most_channels);
  for (int part = 0; part < parts; ++part) {
    const int first = part_begin(part, parts, channels),
              last = part_begin(part + 1, parts, channels);
    for (int row = 0; row < rows; ++row)
      for (int in_channel = 0; in_channel < in_channels; ++in_channel)
        for (int tap = 0; tap < taps; ++tap) {
          const float* at = weights + first * strides.channel + row * strides.row +
                            in_channel * strides.in_channel + tap * strides.tap;
          for (int channel = first; channel < last; ++channel, at += strides.channel)
            *packed++ = *at;
        }
  }
}

/// A whole row: out[channel][column] for `channels` channels (out_stride floats apart) and
/// `columns` columns, with packed weights of `weight_rows` rows of which the first `skipped_rows`
/// meet no input.
inline void convolve_row(const ConvolutionInput& in, int weight_rows, int skipped_rows,
                         const float* packed, int channels, int columns, float* out,
                         std::size_t out_stride) {
  const int channel_parts = part_count(channels, kMostChannels),
            column_parts = part_count(columns, kMostColumns);
  const std::size_t weights_per_row = static_cast<std::size_t>(in.channels * in.taps);
  // Channels inside: the few input columns of a block stay in the L1 cache while all channels read
  // them.
  for (int column_part = 0; column_part < column_parts; ++column_part) {
    const int column = part_begin(column_part, column_parts, columns);
    const int width = part_begin(column_part + 1, column_parts, columns) - column;
    const float* weights = packed;
    for (int part = 0; part < channel_parts; ++part) {
      const int channel = part_begin(part, channel_parts, channels);
      const int count = part_begin(part + 1, channel_parts, channels) - channel;
      const auto block_row = weights_per_row * static_cast<std::size_t>(count);
      convolve_blocks[static_cast<std::size_t>(count - 1)][static_cast<std::size_t>(width - 1)](
          in, column, weights + static_cast<std::size_t>(skipped_rows) * block_row,
          out + static_cast<std::size_t>(channel) * out_stride + column * kLanes, out_stride);
      weights += static_cast<std::size_t>(weight_rows) * block_row;
    }
  }
}

/// All blocks of a weight gradient: sums [channel][tap][lanes].
inline void correlate_rows(const CorrelationInput& in, int channels, std::size_t gradient_offset,
                           const Tap* taps, int tap_count, float* sums) {
  const int channel_parts = part_count(channels, kMostChannels),
            tap_parts = part_count(tap_count, kMostColumns);
  const auto stride = static_cast<std::size_t>(tap_count * kLanes);
  for (int part = 0; part < channel_parts; ++part) {
    const int channel = part_begin(part, channel_parts, channels);
    const int count = part_begin(part + 1, channel_parts, channels) - channel;
    for (int tap_part = 0; tap_part < tap_parts; ++tap_part) {
      const int tap = part_begin(tap_part, tap_parts, tap_count);
      const int width = part_begin(tap_part + 1, tap_parts, tap_count) - tap;
      correlate_blocks[static_cast<std::size_t>(count - 1)][static_cast<std::size_t>(width - 1)](
          in, taps + tap, gradient_offset + static_cast<std::size_t>(channel) * in.gradient_stride,
          sums + static_cast<std::size_t>(channel) * stride + tap * kLanes, stride);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
