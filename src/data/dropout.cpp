#include <algorithm>
#include <array>

#include "data/augment.h"

namespace mnist_dist {

void dropout_mask(const DropoutRule& rule, std::uint64_t seed, std::uint32_t row,
                  std::uint32_t epoch, std::uint32_t layer, std::span<std::uint8_t> out) {
  const Draws draws{
      .seed = seed, .purpose = Purpose::dropout, .row = row, .epoch = epoch, .layer = layer};
  std::array<std::uint16_t, 1024> bits;
  for (std::size_t first = 0; first < out.size(); first += bits.size()) {
    const std::size_t count = std::min(bits.size(), out.size() - first);
    fill_16_bits(draws, std::span(bits).first(count), static_cast<std::uint32_t>(first / 8));
    for (std::size_t i = 0; i < count; ++i) out[first + i] = bits[i] < rule.threshold;
  }
}

}  // namespace mnist_dist
