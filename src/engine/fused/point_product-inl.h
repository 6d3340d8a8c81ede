// The products of a Winograd layer and of its input gradient: at each point a small matrix with a
// row of tiles.
#if defined(MNIST_DIST_FUSED_POINT_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_POINT_PRODUCT_INL_H
#undef MNIST_DIST_FUSED_POINT_PRODUCT_INL_H
#else
#define MNIST_DIST_FUSED_POINT_PRODUCT_INL_H
#endif

#include <array>
#include <utility>

#include "engine/fused/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

// A block of kPointChannels x kPointTiles sums. Each block of channels reads all points again, from
// the L2 cache, so 32 registers hold many channels.
constexpr int kPointChannels = kManyRegisters ? 8 : 4;
constexpr int kPointTiles = 3;

/// [row point][channel][tile][lanes].
struct PointInput {
  const float* at;
  int channels;
  PointStrides stride;
};

/// out[point][channel][tile] = sum over input channels of weight[point][input channel][kChannels] *
/// in[point][input channel][tile], for each row point: a block has few products, so all points are
/// done in one call and one's stores overlap the next one's products.
template <int kChannels, int kTiles>
void multiply_block(const PointInput& in, const float* weights, std::size_t weights_stride,
                    float* out, std::size_t out_stride, std::size_t out_point_stride) {
  const float* point_at = in.at;
  for (int point = 0; point < kPoints;
       ++point, point_at += in.stride.point, weights += weights_stride, out += out_point_stride) {
    V sum[kChannels][kTiles];
    HWY_UNROLL(8)
    for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
    for (int x = 0; x < kTiles; ++x) sum[c][x] = hn::Zero(d);
    const float *at = point_at, *weight_at = weights;
    for (int channel = 0; channel < in.channels;
         ++channel, at += in.stride.channel, weight_at += kChannels) {
      V value[kTiles];
      HWY_UNROLL(8)
      for (int x = 0; x < kTiles; ++x) value[x] = load(at + x * kLanes);
      HWY_UNROLL(8)
      for (int c = 0; c < kChannels; ++c) {
        const V weight = broadcast(weight_at[c]);
        HWY_UNROLL(8)
        for (int x = 0; x < kTiles; ++x) sum[c][x] = mul_add(weight, value[x], sum[c][x]);
      }
    }
    HWY_UNROLL(8)
    for (int c = 0; c < kChannels; ++c) HWY_UNROLL(8)
    for (int x = 0; x < kTiles; ++x)
      store(sum[c][x], out + static_cast<std::size_t>(c) * out_stride + x * kLanes);
  }
}

using MultiplyBlock = void (*)(const PointInput&, const float*, std::size_t, float*, std::size_t,
                               std::size_t);

template <int kChannels, int... kMinusOne>
constexpr std::array<MultiplyBlock, sizeof...(kMinusOne)> multiply_blocks_of(
    std::integer_sequence<int, kMinusOne...>) {
  return {&multiply_block<kChannels, kMinusOne + 1>...};
}

template <int... kMinusOne>
constexpr std::array<std::array<MultiplyBlock, kPointTiles>, sizeof...(kMinusOne)>
all_multiply_blocks(std::integer_sequence<int, kMinusOne...>) {
  return {multiply_blocks_of<kMinusOne + 1>(std::make_integer_sequence<int, kPointTiles>{})...};
}
/// [channels - 1][tiles - 1]
constexpr auto multiply_blocks =
    all_multiply_blocks(std::make_integer_sequence<int, kPointChannels>{});

/// All `tiles` of a row. At most kPointChannels `channels`. Out is [row point][channel][tile].
inline void multiply_points(PointInput in, int tiles, const float* weights,
                            std::size_t weights_stride, int channels, float* out) {
  const int parts = part_count(tiles, kPointTiles);
  const float* const first = in.at;
  for (int part = 0; part < parts; ++part) {
    const int tile = part_begin(part, parts, tiles),
              count = part_begin(part + 1, parts, tiles) - tile;
    in.at = first + tile * kLanes;
    multiply_blocks[static_cast<std::size_t>(channels - 1)][static_cast<std::size_t>(count - 1)](
        in, weights, weights_stride, out + tile * kLanes, static_cast<std::size_t>(tiles * kLanes),
        static_cast<std::size_t>(channels * tiles * kLanes));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
