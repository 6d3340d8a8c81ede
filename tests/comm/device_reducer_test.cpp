#include "comm/device_reducer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "comm/device_gather.h"
#include "comm/fake_nccl.h"
#include "comm/mpi_test.h"
#include "comm/shard_numbers.h"
#include "failures.h"

// Over a NCCL of ours, in host memory: all that does not need a GPU.

namespace mnist_dist {
namespace {

/// As on a rank's GPU, but for where the memory is.
const Queue on_host{};
constexpr int no_device = -1;

std::vector<float> reduced(const Communicator& group, Reducer& sums, int shards, std::size_t size) {
  const Range owned = even_share(group.rank(), group.size(), shards);
  auto data = shard_vectors(owned, size, size + 5);
  std::vector<float> total(size, -1);
  sums.tree_all_reduce({data.data(), size, size + 5, owned.first, owned.size()}, shards, total,
                       on_host);
  return total;
}

TEST(DeviceReducer, AllRanksHaveTheIdOfRank0) {
  fake_nccl() = {};
  const auto sums = make_device_reducer(test_world(), 0, {.transport = "nccl"});
  EXPECT_EQ(fake_nccl().id, "made by rank 0");
  EXPECT_EQ(fake_nccl().rank, test_world().rank());
  EXPECT_EQ(fake_nccl().ranks, test_world().size());
  EXPECT_EQ(fake_nccl().device, 0);
}

TEST(DeviceReducer, ExactSumsHaveTheTreesBits) {
  for (const int polls : {0, 1, 5}) {
    fake_nccl() = {.polls_until_ready = polls};
    const auto sums = make_device_reducer(test_world(), no_device, {.transport = "nccl"});
    for (int shards = test_world().size(); shards <= test_world().size() + 4; ++shards) {
      const std::vector<float> total = reduced(test_world(), *sums, shards, 600);
      for (std::size_t i = 0; i < total.size(); ++i)
        ASSERT_EQ(total[i], tree_reference(0, shards, i)) << shards << ' ' << i;
    }
    EXPECT_GT(fake_nccl().calls, 0);
    EXPECT_FALSE(fake_nccl().called_early);
  }
}

TEST(DeviceReducer, ExactSumsHaveTheTreesBitsOnManyRanks) {
  constexpr std::size_t size = 601;
  for (const int ranks : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 32}) {
    if (ranks > test_world().size()) break;
    const bool takes_part = test_world().rank() < ranks;
    const auto group = test_world().split(takes_part ? 1 : 0);
    if (!takes_part) continue;
    fake_nccl() = {};
    fake_nccl().group = group.get();
    const auto sums = make_device_reducer(*group, no_device, {.transport = "nccl"});
    for (const int shards : {ranks, ranks + 3}) {
      const std::vector<float> total = reduced(*group, *sums, shards, size);
      std::vector<float> expected(size);
      for (std::size_t i = 0; i < size; ++i) expected[i] = tree_reference(0, shards, i);
      EXPECT_EQ(std::memcmp(total.data(), expected.data(), size * sizeof(float)), 0)
          << ranks << " ranks, " << shards << " shards";
    }
    // Many ranks send each other parts of vectors. Few gather all of them.
    EXPECT_EQ(fake_nccl().messages > 0, ranks > most_gathering_ranks) << ranks;
    EXPECT_FALSE(fake_nccl().called_early);
  }
  test_world().barrier();
}

TEST(DeviceReducer, FastSumsAreCloseToIt) {
  fake_nccl() = {};
  const auto sums =
      make_device_reducer(test_world(), no_device, {.transport = "nccl", .reduce = "fast"});
  const int shards = test_world().size() + 1;
  const std::vector<float> total = reduced(test_world(), *sums, shards, 600);
  for (std::size_t i = 0; i < total.size(); ++i) {
    double size = 0;
    for (int k = 0; k < shards; ++k) size += std::fabs(double{shard_number(k, i)});
    ASSERT_NEAR(total[i], tree_reference(0, shards, i), 1e-6 * size + 1e-30) << i;
  }
}

TEST(DeviceReducer, OneRankNeedsNoNccl) {
  fake_nccl() = {};
  const auto single = make_single();
  const auto sums = make_device_reducer(*single, no_device, {});
  const std::vector<float> total = reduced(*single, *sums, 4, 100);
  for (std::size_t i = 0; i < total.size(); ++i) ASSERT_EQ(total[i], tree_reference(0, 4, i));
  EXPECT_EQ(fake_nccl().ranks, 0);
}

TEST(DeviceReducer, MpiCarriesTheVectorsOverTheHost) {
  fake_nccl() = {};
  const DeviceCommOptions options{.transport = "mpi"};
  EXPECT_EQ(reduces_on_device(test_world(), options), test_world().size() == 1);
  const auto sums = make_device_reducer(test_world(), no_device, options);
  const int shards = test_world().size() + 2;
  const std::vector<float> total = reduced(test_world(), *sums, shards, 100);
  for (std::size_t i = 0; i < total.size(); ++i) ASSERT_EQ(total[i], tree_reference(0, shards, i));
  EXPECT_EQ(fake_nccl().ranks, 0);
}

TEST(DeviceReducer, PartsWhenItIsDestroyed) {
  fake_nccl() = {};
  make_device_reducer(test_world(), no_device, {.transport = "nccl"}).reset();
  EXPECT_TRUE(*fake_nccl().destroyed);
  EXPECT_FALSE(*fake_nccl().aborted);
}

TEST(DeviceReducer, AnErrorOfOneRankDoesNotWaitForTheOthers) {
  fake_nccl() = {.waits_for_others = true};
  const auto start = std::chrono::steady_clock::now();
  try {
    const auto sums = make_device_reducer(test_world(), no_device, {.transport = "nccl"});
    throw std::runtime_error("met by one rank");
  } catch (const std::runtime_error&) {
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_FALSE(*fake_nccl().destroyed);
  fake_nccl().others->count_down();
  for (int i = 0; i < 5000 && !*fake_nccl().destroyed; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(*fake_nccl().destroyed) << "it continues beside";
  test_world().barrier();
}

void expect_device_error(const std::function<void()>& work, const std::string& text,
                         bool everywhere) {
  const Error error = failure(ExitCode::device, work);
  EXPECT_EQ(error.what(), text);
  EXPECT_EQ(error.is_on_all_ranks(), everywhere);
  for (int i = 0; i < 5000 && !*fake_nccl().aborted; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(*fake_nccl().aborted);
  test_world().barrier();
}

TEST(DeviceReducer, DoesNotWaitForEverToStart) {
  fake_nccl() = {.polls_until_ready = -1};
  expect_device_error(
      [] { make_device_reducer(test_world(), no_device, {.transport = "nccl", .timeout = 0.2}); },
      "the GPUs of " + std::to_string(test_world().size()) +
          " ranks did not finish an all-reduce in 0 s",
      true);
}

TEST(DeviceReducer, DoesNotWaitForEverForACall) {
  fake_nccl() = {};
  const auto sums =
      make_device_reducer(test_world(), no_device, {.transport = "nccl", .timeout = 10});
  sums->watch(9);
  expect_device_error([&] { sums->watch(11); },
                      "the GPUs of " + std::to_string(test_world().size()) +
                          " ranks did not finish an all-reduce in 11 s",
                      true);
}

std::string failed_sum() {
  return fmt::format("NCCL's {} failed: something broke (the cable)",
                     test_world().size() > most_gathering_ranks ? "ncclGroupEnd" : "ncclAllGather");
}

TEST(DeviceReducer, NamesTheFailedCall) {
  fake_nccl() = {};
  const auto sums = make_device_reducer(test_world(), no_device, {.transport = "nccl"});
  fake_nccl().next_call = ncclSystemError;
  expect_device_error([&] { reduced(test_world(), *sums, test_world().size(), 10); }, failed_sum(),
                      false);
}

TEST(DeviceReducer, NoticesAFailureInTheBackground) {
  fake_nccl() = {};
  const auto sums = make_device_reducer(test_world(), no_device, {.transport = "nccl"});
  fake_nccl().background = ncclRemoteError;
  expect_device_error([&] { sums->watch(0); },
                      "NCCL's communication failed: something broke (the cable)", false);
}

TEST(DeviceReducer, NoticesThatACallFailedInTheBackground) {
  fake_nccl() = {.polls_until_ready =
                     2};  // the first look finds it still under way, the second one ended
  const auto sums = make_device_reducer(test_world(), no_device, {.transport = "nccl"});
  fake_nccl().background = ncclRemoteError;
  expect_device_error([&] { reduced(test_world(), *sums, test_world().size(), 10); }, failed_sum(),
                      false);
}

}  // namespace
}  // namespace mnist_dist
