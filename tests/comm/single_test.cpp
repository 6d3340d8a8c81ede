#include <gtest/gtest.h>

#include <array>

#include "comm/communicator.h"
#include "comm/on_root.h"
#include "comm/shard_numbers.h"
#include "failures.h"

namespace mnist_dist {
namespace {

TEST(Single, AddsItsShardsInTheTreesOrder) {
  const auto world = make_single();
  constexpr std::size_t size = 257, stride = 272;
  for (int shards = 1; shards <= 9; ++shards) {
    auto data = shard_vectors({0, shards}, size, stride);
    std::vector<float> total(size);
    world->tree_all_reduce({data.data(), size, stride, 0, shards}, shards, total, {});
    for (std::size_t i = 0; i < size; ++i)
      EXPECT_EQ(total[i], tree_reference(0, shards, i)) << shards << " shards, element " << i;
  }
}

TEST(Single, TheNumbersOfThisTestDistinguishOrders) {
  int different = 0;
  for (std::size_t i = 0; i < 257; ++i) different += tree_reference(0, 5, i) != left_to_right(5, i);
  EXPECT_GT(different, 20);
}

TEST(Single, RejectsVectorsThatAreNotAllShards) {
  const auto world = make_single();
  std::array<float, 4> data{}, total{};
  EXPECT_THROW(world->tree_all_reduce({data.data(), 2, 2, 0, 2}, 3, std::span(total).first(2), {}),
               Error);
  EXPECT_THROW(world->tree_all_reduce({data.data(), 2, 2, 0, 2}, 2, total, {}), Error);
  EXPECT_THROW(world->tree_all_reduce({data.data(), 2, 2, 0, 2}, 2, std::span(total).first(2),
                                      {.device = 0}),
               Error);
}

TEST(Single, IsAWorldOfOne) {
  const auto world = make_world(Launcher{}, 1);
  EXPECT_EQ(world->rank(), 0);
  EXPECT_EQ(world->size(), 1);
  EXPECT_EQ(world->local_rank(), 0);
  EXPECT_EQ(world->local_size(), 1);
  const std::vector<std::byte> bytes{std::byte{1}, std::byte{2}};
  EXPECT_EQ(world->all_gather(bytes), std::vector<std::vector<std::byte>>{bytes});
  EXPECT_EQ(world->split(7)->size(), 1);
  world->barrier();
}

TEST(Single, AbortEndsWithTheCode) {
  EXPECT_EXIT(make_single()->abort(ExitCode::data), testing::ExitedWithCode(3), "");
}

TEST(Heartbeat, PassesOnExceptionsOfTheWork) {
  const auto world = make_single();
  bool done = false;
  run_on_root(*world, [&] { done = true; });
  EXPECT_TRUE(done);
  const Error error = failure(ExitCode::data, [&] {
    run_on_root(*world, [] { throw data_error("no digits", "draw some"); });
  });
  EXPECT_STREQ(error.what(), "no digits");
  EXPECT_EQ(error.hint(), "draw some");
  EXPECT_TRUE(error.is_on_all_ranks());
}

}  // namespace
}  // namespace mnist_dist
