// The products of a Winograd weight gradient: each output channel's gradient with each input
// channel, over few columns.
#if defined(MNIST_DIST_FUSED_OUTER_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_OUTER_PRODUCT_INL_H
#undef MNIST_DIST_FUSED_OUTER_PRODUCT_INL_H
#else
#define MNIST_DIST_FUSED_OUTER_PRODUCT_INL_H
#endif

#include <array>
#include <utility>
#include <vector>

#include "engine/fused/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// Channels along a side of a block: 5 x 5 sums, five of one factor and one of the other fill 32
/// registers, 3 x 3 most of 16.
constexpr int kBlockSide = kManyRegisters ? 5 : 3;

/// Two maps of [channel][column][lanes], channels `stride` floats apart.
struct OuterProductInput {
  const float *left, *right;
  std::ptrdiff_t stride;
  std::ptrdiff_t end;  ///< floats of columns
  bool fresh;          ///< sums start at 0, not at the memory's contents
};

/// sums[left channel][right channel] += sum over columns of left * right, one sum per lane. A sum
/// is loaded and stored after few products, so nothing else may cost much here: addresses are sums
/// of few registers, and a block's sums lie together.
template <int kLeft, int kRight>
void outer_product_block(const OuterProductInput& in, std::ptrdiff_t left_offset,
                         std::ptrdiff_t right_offset, float* sums) {
  V sum[kLeft][kRight];
  HWY_UNROLL(8)
  for (int l = 0; l < kLeft; ++l) HWY_UNROLL(8)
  for (int r = 0; r < kRight; ++r)
    sum[l][r] = in.fresh ? hn::Zero(d) : load(sums + (l * kRight + r) * kLanes);
  const float *left = in.left + left_offset, *right = in.right + right_offset;
  const float* const end = left + in.end;
  for (const std::ptrdiff_t stride = in.stride; left < end; left += kLanes, right += kLanes) {
    V value[kLeft];
    HWY_UNROLL(8)
    for (int l = 0; l < kLeft; ++l) value[l] = load(left + l * stride);
    HWY_UNROLL(8)
    for (int r = 0; r < kRight; ++r) {
      const V factor = load(right + r * stride);
      HWY_UNROLL(8)
      for (int l = 0; l < kLeft; ++l) sum[l][r] = mul_add(value[l], factor, sum[l][r]);
    }
  }
  HWY_UNROLL(8)
  for (int l = 0; l < kLeft; ++l) HWY_UNROLL(8)
  for (int r = 0; r < kRight; ++r) store(sum[l][r], sums + (l * kRight + r) * kLanes);
}

using OuterProductBlock = void (*)(const OuterProductInput&, std::ptrdiff_t, std::ptrdiff_t,
                                   float*);
using BlockSides = std::make_integer_sequence<int, kBlockSide>;

template <int kLeft, int... kMinusOne>
constexpr std::array<OuterProductBlock, kBlockSide> outer_product_blocks_of(
    std::integer_sequence<int, kMinusOne...>) {
  return {&outer_product_block<kLeft, kMinusOne + 1>...};
}
template <int... kMinusOne>
constexpr std::array<std::array<OuterProductBlock, kBlockSide>, kBlockSide>
all_outer_product_blocks(std::integer_sequence<int, kMinusOne...>) {
  return {outer_product_blocks_of<kMinusOne + 1>(BlockSides{})...};
}
/// [left channels - 1][right channels - 1]
constexpr auto outer_product_blocks = all_outer_product_blocks(BlockSides{});

/// Calls visit(first left channel, count, first right channel, count) of each block in the order in
/// which their sums lie.
template <class Visit>
void for_outer_product_blocks(int left_channels, int right_channels, Visit visit) {
  const int left_parts = part_count(left_channels, kBlockSide),
            right_parts = part_count(right_channels, kBlockSide);
  for (int l = 0; l < left_parts; ++l) {
    const int left = part_begin(l, left_parts, left_channels),
              left_count = part_begin(l + 1, left_parts, left_channels) - left;
    for (int r = 0; r < right_parts; ++r) {
      const int right = part_begin(r, right_parts, right_channels);
      visit(left, left_count, right, part_begin(r + 1, right_parts, right_channels) - right);
    }
  }
}

inline void outer_product(const OuterProductInput& in, int left_channels, int right_channels,
                          float* sums) {
  for_outer_product_blocks(
      left_channels, right_channels, [&](int left, int left_count, int right, int right_count) {
        outer_product_blocks[static_cast<std::size_t>(left_count - 1)][static_cast<std::size_t>(
            right_count - 1)](in, left * in.stride, right * in.stride, sums);
        sums += left_count * right_count * kLanes;
      });
}

/// The pair, left * right_channels + right, of each sum.
inline std::vector<int> outer_product_order(int left_channels, int right_channels) {
  std::vector<int> order;
  for_outer_product_blocks(left_channels, right_channels,
                           [&](int left, int left_count, int right, int right_count) {
                             for (int l = left; l < left + left_count; ++l)
                               for (int r = right; r < right + right_count; ++r)
                                 order.push_back(l * right_channels + r);
                           });
  return order;
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
