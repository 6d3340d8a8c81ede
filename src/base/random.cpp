#include "base/random.h"

namespace mnist_dist {

void fill_16_bits(const Draws& draws, std::span<std::uint16_t> out, std::uint32_t first_block) {
  const auto unpack = [&](std::size_t block, std::size_t count) {
    const auto words = draws.block(first_block + static_cast<std::uint32_t>(block));
    for (std::size_t i = 0; i < count; ++i)
      out[8 * block + i] = half_word(words, static_cast<int>(i));
  };
  const std::size_t whole_blocks = out.size() / 8;
  for (std::size_t block = 0; block < whole_blocks; ++block) unpack(block, 8);
  unpack(whole_blocks, out.size() % 8);
}

}  // namespace mnist_dist
