#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <system_error>

#include "comm/mpi_test.h"
#include "comm/on_root.h"
#include "comm/shard_numbers.h"

namespace mnist_dist {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void expect_tree_sums(Communicator& world, int shards, std::size_t size) {
  const std::size_t stride = size + 3;
  const Range owned = even_share(world.rank(), world.size(), shards);
  auto data = shard_vectors(owned, size, stride);
  std::vector<float> total(size, -1), expected(size);
  for (std::size_t i = 0; i < size; ++i) expected[i] = tree_reference(0, shards, i);
  world.tree_all_reduce({data.data(), size, stride, owned.first, owned.size()}, shards, total, {});
  EXPECT_EQ(0, std::memcmp(total.data(), expected.data(), size * sizeof(float)))
      << shards << " shards of " << size << " floats";
}

TEST(Communicator, RanksAndSizes) {
  Communicator& world = test_world();
  const Launcher launcher = detect_launcher();
  ASSERT_TRUE(launcher.present) << "run this under mpirun";
  EXPECT_EQ(world.rank(), launcher.rank);
  EXPECT_EQ(world.size(), launcher.size);
  EXPECT_EQ(world.local_rank(), world.rank());  // one host
  EXPECT_EQ(world.local_size(), world.size());
}

// Uneven shares and ranks with several nodes included. 9952 floats are step 3's vector, which
// travels in a different way than a few bytes.
TEST(Communicator, TreeSumsHaveTheSameBitsOnAnyNumberOfRanks) {
  const int ranks = test_world().size();
  for (int shards = ranks; shards <= std::max(9, ranks + 2); ++shards)
    for (const std::size_t size : {1u, 17u, 9952u}) expect_tree_sums(test_world(), shards, size);
}

TEST(Communicator, TreeSumsOverAndOver) {
  for (int call = 0; call < 300; ++call)
    expect_tree_sums(test_world(), test_world().size() + 1, 100);
}

TEST(Communicator, BroadcastsFromAnyRoot) {
  Communicator& world = test_world();
  for (int root = 0; root < world.size(); ++root) {
    auto bytes = bytes_of(world.rank() == root ? "from " + std::to_string(root) : "......");
    world.broadcast(bytes, root);
    EXPECT_EQ(bytes, bytes_of("from " + std::to_string(root)));
  }
}

TEST(Communicator, GathersDifferentSizes) {
  Communicator& world = test_world();
  const auto text = [](int rank) {
    return std::string(static_cast<std::size_t>(rank * rank), static_cast<char>('a' + rank));
  };  // rank 0: nothing
  const auto all = world.all_gather(bytes_of(text(world.rank())));
  ASSERT_EQ(all.size(), static_cast<std::size_t>(world.size()));
  for (int r = 0; r < world.size(); ++r)
    EXPECT_EQ(all[static_cast<std::size_t>(r)], bytes_of(text(r)));
}

TEST(Communicator, NoBytesAtAll) {
  Communicator& world = test_world();
  world.broadcast({}, 0);
  for (const auto& part : world.all_gather({})) EXPECT_TRUE(part.empty());
}

TEST(Communicator, SplitsIntoGroupsThatWorkAlone) {
  Communicator& world = test_world();
  const int color = world.rank() % 2 ? -5 : 3;
  const auto group = world.split(color);
  EXPECT_EQ(group->size(), world.rank() % 2 ? world.size() / 2 : (world.size() + 1) / 2);
  EXPECT_EQ(group->rank(), world.rank() / 2);
  EXPECT_EQ(group->local_rank(), group->rank());
  EXPECT_EQ(group->local_size(), group->size());
  // Different numbers of calls in the groups do not disturb each other, nor the world.
  for (int call = 0; call < (color == 3 ? 20 : 5); ++call)
    expect_tree_sums(*group, group->size() + 1, 33);
  const auto colors = group->all_gather(std::as_bytes(std::span(&color, 1)));
  for (const auto& other : colors) EXPECT_EQ(0, std::memcmp(other.data(), &color, sizeof color));
  const auto alone = group->split(group->rank());
  EXPECT_EQ(alone->size(), 1);
  expect_tree_sums(*alone, 3, 10);
  expect_tree_sums(world, world.size(), 33);
}

TEST(Communicator, RejectsOtherShardsThanItsOwnAndThenContinues) {
  Communicator& world = test_world();
  std::vector<float> data(4), total(2);
  EXPECT_THROW(world.tree_all_reduce({data.data(), 2, 2, 1, 2}, 2 * world.size() + 1, total, {}),
               Error);
  expect_tree_sums(world, world.size(), 33);
}

TEST(Heartbeat, RootWorksForAll) {
  Communicator& world = test_world();
  int made = 0;
  run_on_root(world, [&] { made = 42; });
  EXPECT_EQ(made, world.rank() == 0 ? 42 : 0);
  world.broadcast(std::as_writable_bytes(std::span(&made, 1)), 0);
  EXPECT_EQ(made, 42);
}

TEST(Heartbeat, RootsErrorReachesAll) {
  for (const auto& [work, what, hint, code] :
       {std::tuple<std::function<void()>, std::string, std::string, ExitCode>{
            [] { throw data_error("no digits here", "draw some"); }, "no digits here", "draw some",
            ExitCode::data},
        {[] { throw data_error("", ""); }, "", "", ExitCode::data},
        {[] { throw std::system_error(std::make_error_code(std::errc::filename_too_long), "x"); },
         "x: File name too long", "check the path, its permissions and the space there",
         ExitCode::data},
        {[] { throw std::runtime_error("oops"); }, "oops",
         "report this defect of mnist-dist with the command line", ExitCode::internal}}) {
    try {
      run_on_root(test_world(), work);
      ADD_FAILURE() << "no error on this rank";
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), what);
      EXPECT_EQ(error.hint(), hint);
      EXPECT_EQ(error.code(), code);
      EXPECT_TRUE(error.is_on_all_ranks());
    }
  }
  test_world().barrier();
}

}  // namespace
}  // namespace mnist_dist
