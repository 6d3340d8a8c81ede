// The elements that a layer drops: Philox4x32-10, as in base/random.h, for all images of a vector
// at once.
#if defined(MNIST_DIST_FUSED_DROPOUT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_FUSED_DROPOUT_INL_H
#undef MNIST_DIST_FUSED_DROPOUT_INL_H
#else
#define MNIST_DIST_FUSED_DROPOUT_INL_H
#endif

#include "base/random.h"
#include "engine/fused/simd-inl.h"
#include "model/spec.h"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::fused {
namespace HWY_NAMESPACE {

/// The draws of one layer in one epoch. `rows` [kLanes] are the images' rows.
struct DropoutKey {
  std::uint64_t seed;
  std::uint32_t epoch, layer;
};

#if HWY_TARGET == HWY_SCALAR

inline void draw_dropout(const DropoutKey& key, const DropoutRule& rule, const std::uint32_t* rows,
                         int elements, std::uint8_t* dropped) {
  const Draws draws{.seed = key.seed,
                    .purpose = Purpose::dropout,
                    .row = rows[0],
                    .epoch = key.epoch,
                    .layer = key.layer};
  for (int element = 0; element < elements; element += 8) {
    const auto words = draws.block(static_cast<std::uint32_t>(element / 8));
    for (int i = 0; i < std::min(8, elements - element); ++i)
      dropped[element + i] = half_word(words, i) < rule.threshold;
  }
}

#else

using DU32 = hn::Repartition<std::uint32_t, D>;
using DU64 = hn::Repartition<std::uint64_t, D>;
using DI32 = hn::Repartition<std::int32_t, D>;

/// Four words of state for every second image, each in the low half of a 64-bit lane: a product's
/// high half then is a shift away, and its low half is in place for the next round. The contents of
/// the high halves have no effect.
struct PhiloxState {
  hn::Vec<DU32> word0, word1, word2, word3;

  HWY_INLINE void run(std::uint32_t key0, std::uint32_t key1) {
    const DU32 u32;
    const hn::Vec<DU32> m0 = hn::Set(u32, 0xD2511F53u), m1 = hn::Set(u32, 0xCD9E8D57u);
    for (int round = 0; round < 10; ++round) {
      const auto product0 = hn::MulEven(word0, m0), product1 = hn::MulEven(word2, m1);
      const auto high0 = hn::BitCast(u32, hn::ShiftRight<32>(product0)),
                 high1 = hn::BitCast(u32, hn::ShiftRight<32>(product1));
      word0 = hn::Xor3(high1, word1, hn::Set(u32, key0));
      word2 = hn::Xor3(high0, word3, hn::Set(u32, key1));
      word1 = hn::BitCast(u32, product1);
      word3 = hn::BitCast(u32, product0);
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
  }
};

/// Image order again: low halves of `even` and of `odd`, alternating.
HWY_INLINE hn::Vec<DI32> interleave(hn::Vec<DU32> even, hn::Vec<DU32> odd) {
  const auto shifted = hn::BitCast(DU32(), hn::ShiftLeft<32>(hn::BitCast(DU64(), odd)));
  return hn::BitCast(DI32(), hn::OddEven(shifted, even));
}

inline void draw_dropout(const DropoutKey& key, const DropoutRule& rule, const std::uint32_t* rows,
                         int elements, std::uint8_t* dropped) {
  const DU32 u32;
  const DI32 i32;
  const auto even_rows = hn::LoadU(u32, rows);
  const auto odd_rows = hn::BitCast(u32, hn::ShiftRight<32>(hn::BitCast(DU64(), even_rows)));
  const auto threshold = hn::Set(i32, static_cast<std::int32_t>(rule.threshold));
  const auto low_half = hn::Set(i32, 0xffff);
  const auto epoch = hn::Set(u32, key.epoch),
             purpose = hn::Set(u32, static_cast<std::uint32_t>(Purpose::dropout) << 16 | key.layer);
  const auto key0 = static_cast<std::uint32_t>(key.seed),
             key1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int element = 0; element < elements; element += 8) {
    const auto block = hn::Set(u32, static_cast<std::uint32_t>(element / 8));
    PhiloxState even{block, even_rows, epoch, purpose}, odd{block, odd_rows, epoch, purpose};
    even.run(key0, key1);
    odd.run(key0, key1);
    const hn::Vec<DI32> words[] = {
        interleave(even.word0, odd.word0), interleave(even.word1, odd.word1),
        interleave(even.word2, odd.word2), interleave(even.word3, odd.word3)};
    // The last block may write past the last element: the masks' memory is that much longer.
    std::uint8_t* at = dropped + element * kMaskBytes;
    for (const auto word : words) {
      hn::StoreMaskBits(i32, hn::Lt(hn::And(word, low_half), threshold), at);
      const auto high_half = hn::BitCast(i32, hn::ShiftRight<16>(hn::BitCast(u32, word)));
      hn::StoreMaskBits(i32, hn::Lt(high_half, threshold), at + kMaskBytes);
      at += 2 * kMaskBytes;
    }
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace mnist_dist::fused
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
