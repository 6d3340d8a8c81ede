#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace mnist_dist {
namespace {

using Block = std::array<std::uint32_t, 4>;

// philox4x32 with 10 rounds, from kat_vectors of the Random123 distribution: counter, key, result.
TEST(Random, IsPhiloxAsPublished) {
  const auto purpose = [](std::uint32_t value) { return static_cast<Purpose>(value); };
  EXPECT_EQ((Draws{0, purpose(0), 0, 0, 0}.block(0)),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ((Draws{0xffffffffffffffff, purpose(0xffff), 0xffffffff, 0xffffffff, 0xffff}.block(
                0xffffffff)),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ((Draws{0x299f31d0a4093822, purpose(0x0370), 0x85a308d3, 0x13198a2e, 0x7344}.block(
                0x243f6a88)),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, EveryPartOfTheKeyChangesTheStream) {
  const Draws base{.seed = 7, .purpose = Purpose::dropout, .row = 5, .epoch = 3, .layer = 2};
  std::vector<Draws> changed(7, base);
  changed[1].seed = 8;
  changed[2].seed |= std::uint64_t{1} << 40;
  changed[3].purpose = Purpose::crop;
  changed[4].row = 6;
  changed[5].epoch = 4;
  changed[6].layer = 3;
  std::set<Block> blocks;
  for (const Draws& draws : changed) blocks.insert(draws.block(0));
  blocks.insert(base.block(1));
  EXPECT_EQ(blocks.size(), 8u);
}

TEST(Random, StreamReadsBlocksInOrder) {
  const Draws draws{.seed = 1, .purpose = Purpose::affine};
  Stream stream(draws);
  for (std::uint32_t block = 0; block < 3; ++block)
    for (const std::uint32_t expected : draws.block(block)) EXPECT_EQ(stream.next(), expected);
}

TEST(Random, UniformCoversItsRangeEvenly) {
  Stream stream({.seed = 1, .purpose = Purpose::affine});
  constexpr int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const float u = stream.uniform(-2, 3);
    ASSERT_GE(u, -2);
    ASSERT_LT(u, 3);
    sum += u;
    squares += static_cast<double>(u) * u;
  }
  // Five standard errors around mean 1/2 and second moment 7/3.
  EXPECT_NEAR(sum / n, 0.5, 5 * 1.4434 / 316);
  EXPECT_NEAR(squares / n, 7.0 / 3, 5 * 2.5 / 316);
}

TEST(Random, BelowHitsEveryValueEquallyOften) {
  Stream stream({.seed = 2, .purpose = Purpose::crop});
  std::vector<int> hits(7);
  for (int i = 0; i < 70000; ++i) ++hits.at(stream.below(7));
  for (const int hit : hits) EXPECT_NEAR(hit, 10000, 5 * 93);
}

TEST(Random, SixteenBitsAreTheHalvesOfTheWords) {
  const Draws draws{.seed = 3, .purpose = Purpose::dropout, .row = 9};
  std::vector<std::uint16_t> bits(21);
  fill_16_bits(draws, bits, 4);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::uint32_t word = draws.block(4 + static_cast<std::uint32_t>(i / 8))[i % 8 / 2];
    EXPECT_EQ(bits[i], i % 2 == 0 ? word & 0xffff : word >> 16) << i;
  }
}

}  // namespace
}  // namespace mnist_dist
