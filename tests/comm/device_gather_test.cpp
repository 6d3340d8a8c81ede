#include "comm/device_gather.h"

#include <gtest/gtest.h>

#include <cstring>

#include "comm/mpi_test.h"
#include "comm/shard_numbers.h"

// In host memory, with the group's own all-gather in NCCL's place.

namespace mnist_dist {
namespace {

void gather(Communicator& world, const DeviceGather& sums) {
  const std::span<const float> own(sums.own_part(), sums.part());
  float* place = sums.buffer();
  for (const auto& part : world.all_gather(std::as_bytes(own))) {
    ASSERT_EQ(part.size(), own.size_bytes());
    std::memcpy(place, part.data(), part.size());
    place += sums.part();
  }
}

TEST(DeviceGather, HasTheTreesBitsOnAnyNumberOfRanks) {
  Communicator& world = test_world();
  for (int shards = world.size(); shards <= 9; ++shards)
    for (const std::size_t size : {1u, 255u, 700u}) {
      const Range owned = even_share(world.rank(), world.size(), shards);
      DeviceGather sums(world.rank(), world.size(), shards, size, {});
      ASSERT_TRUE(sums.fits(shards, size));
      for (int call = 0; call < 2; ++call) {
        auto data = shard_vectors(owned, size, size + 3);
        std::vector<float> total(size, -1), expected(size);
        for (std::size_t i = 0; i < size; ++i) expected[i] = tree_reference(0, shards, i);
        sums.add_owned({data.data(), size, size + 3, owned.first, owned.size()}, {});
        gather(world, sums);
        sums.finish(total, {});
        EXPECT_EQ(0, std::memcmp(total.data(), expected.data(), size * sizeof(float)))
            << shards << " shards of " << size << " floats";
      }
    }
}

TEST(DeviceNodes, TheirChainIsTheSumOfTheOwnedShards) {
  Communicator& world = test_world();
  const int shards = world.size() + 2;
  constexpr std::size_t size = 300;
  const Range owned = even_share(world.rank(), world.size(), shards);
  auto data = shard_vectors(owned, size, size);
  std::vector<float> total(size);
  const DeviceNodes nodes(world.rank(), world.size(), shards, {});
  std::vector<float> sums(nodes.count() * size);
  nodes.add({data.data(), size, size, owned.first, owned.size()}, sums.data(), {});
  nodes.chain(sums.data(), total, {});
  for (std::size_t i = 0; i < size; ++i) {
    double expected = 0, largest = 1e-6;
    for (int k = owned.first; k < owned.last; ++k) {
      expected += shard_number(k, i);
      largest = std::max(largest, std::fabs(double{shard_number(k, i)}));
    }
    EXPECT_NEAR(total[i], expected, 1e-6 * largest * owned.size()) << i;
  }
}

}  // namespace
}  // namespace mnist_dist
