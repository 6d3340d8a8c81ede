#include "base/random.h"

#include <Random123/philox.h>

namespace mnist_dist {

std::array<std::uint32_t, 4> Draws::block(std::uint32_t index) const {
  const r123::Philox4x32::key_type key = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const r123::Philox4x32::ctr_type counter = {{index, row, epoch, static_cast<std::uint32_t>(purpose) << 16 | layer}};
  const auto out = r123::Philox4x32{}(counter, key);
  return {out[0], out[1], out[2], out[3]};
}

void fill_16_bits(const Draws& draws, std::span<std::uint16_t> out, std::uint32_t first_block) {
  const auto unpack = [&](std::size_t block, std::size_t count) {
    const auto words = draws.block(first_block + static_cast<std::uint32_t>(block));
    for (std::size_t i = 0; i < count; ++i) out[8 * block + i] = static_cast<std::uint16_t>(words[i / 2] >> (i % 2 * 16));
  };
  const std::size_t whole_blocks = out.size() / 8;
  for (std::size_t block = 0; block < whole_blocks; ++block) unpack(block, 8);
  unpack(whole_blocks, out.size() % 8);
}

std::uint32_t Stream::next() {
  if (used_ % 4 == 0) block_ = draws_.block(used_ / 4);
  return block_[used_++ % 4];
}

}  // namespace mnist_dist
