#pragma once
#include <Random123/philox.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/host_device.h"

namespace mnist_dist {

/// Purpose of a random number: the high half of a counter's last word. A value, once released, is
/// never reused: it would change every run.
enum class Purpose : std::uint32_t {
  prepare_shuffle = 1,
  epoch_order = 2,
  initial_weights = 3,
  dropout = 4,
  crop = 5,
  affine = 6,
  elastic = 7,
  erase = 8,
  synthetic = 9,
  tuning = 10,
};

/// A stream of random numbers that has no state: draw i is a pure function of its key and counter
/// (Philox4x32-10, Salmon et al., SC'11). key = seed, counter = {block, row, epoch, purpose << 16 |
/// layer}. Same numbers on every rank, thread, device and after every resume.
struct Draws {
  std::uint64_t seed;
  Purpose purpose;
  std::uint32_t row =
      0;  ///< row in the prepared file, or shard, or parameter index: whatever owns the stream
  std::uint32_t epoch = 0;  ///< counted from 0
  std::uint32_t layer = 0;  ///< index in ModelSpec::layers, below 65536

  /// Four independent uniform 32-bit numbers.
  MNIST_DIST_HOST_DEVICE std::array<std::uint32_t, 4> block(std::uint32_t index) const {
    const r123::Philox4x32::key_type key = {
        {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
    const r123::Philox4x32::ctr_type counter = {
        {index, row, epoch, static_cast<std::uint32_t>(purpose) << 16 | layer}};
    const auto out = r123::Philox4x32{}(counter, key);
    return {out[0], out[1], out[2], out[3]};
  }
};

/// Sixteen bits of a block, i in 0..7: low half of each word first.
MNIST_DIST_HOST_DEVICE inline std::uint16_t half_word(const std::array<std::uint32_t, 4>& words,
                                                      int i) {
  return static_cast<std::uint16_t>(words[static_cast<std::size_t>(i / 2)] >> (i % 2 * 16));
}

/// 16 random bits per element, eight elements per block, low half of each word first: out[i] is
/// from block first_block + i / 8.
void fill_16_bits(const Draws& draws, std::span<std::uint16_t> out, std::uint32_t first_block = 0);

/// Reads a Draws stream one number after the other.
class Stream {
 public:
  MNIST_DIST_HOST_DEVICE explicit Stream(const Draws& draws) : draws_(draws) {}
  MNIST_DIST_HOST_DEVICE std::uint32_t next() {
    if (used_ % 4 == 0) block_ = draws_.block(used_ / 4);
    return block_[used_++ % 4];
  }
  /// Uniform in [0, 1): the top 24 bits, exact in float.
  MNIST_DIST_HOST_DEVICE float uniform() { return static_cast<float>(next() >> 8) * 0x1p-24f; }
  /// Uniform in [low, high).
  MNIST_DIST_HOST_DEVICE float uniform(float low, float high) {
    return low + (high - low) * uniform();
  }
  /// Uniform in [0, bound) by multiply and shift. The bias is below bound / 2^32, far under what
  /// 60,000 rows could show.
  MNIST_DIST_HOST_DEVICE std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
  }

 private:
  Draws draws_;
  std::uint32_t used_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace mnist_dist
