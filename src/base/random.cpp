#include "base/random.h"

#include <Random123/philox.h>

#include <algorithm>

namespace mnist_dist {

std::array<std::uint32_t, 4> Draws::block(std::uint32_t index) const {
  const r123::Philox4x32::key_type key = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const r123::Philox4x32::ctr_type counter = {{index, row, epoch, static_cast<std::uint32_t>(purpose) << 16 | layer}};
  const auto out = r123::Philox4x32{}(counter, key);
  return {out[0], out[1], out[2], out[3]};
}

void fill_16_bits(const Draws& draws, std::span<std::uint16_t> out, std::uint32_t first_block) {
  for (std::size_t at = 0; at < out.size(); at += 8) {
    const auto words = draws.block(first_block + static_cast<std::uint32_t>(at / 8));
    for (std::size_t i = at; i < std::min(at + 8, out.size()); ++i) out[i] = static_cast<std::uint16_t>(words[(i - at) / 2] >> (i % 2 * 16));
  }
}

std::uint32_t Stream::next() {
  if (used_ % 4 == 0) block_ = draws_.block(used_ / 4);
  return block_[used_++ % 4];
}

}  // namespace mnist_dist
