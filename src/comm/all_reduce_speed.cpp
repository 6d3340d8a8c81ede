#include "comm/all_reduce_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/median.h"
#include "base/stopwatch.h"

namespace mnist_dist {
namespace {

constexpr std::size_t vector_floats = 9952;  // step 3's flat vector: 39 KB

/// Ranks that are the first of their host.
int count_hosts(Communicator& comm) {
  const std::byte first{comm.local_rank() == 0};
  int hosts = 0;
  for (const auto& bytes : comm.all_gather({&first, 1}))
    hosts += std::to_integer<int>(bytes.front());
  return hosts;
}

}  // namespace

AllReduceSpeed measure_all_reduce(Communicator& comm, double seconds) {
  const int ranks = comm.size();
  const float expected = static_cast<float>(ranks) * static_cast<float>(ranks + 1) / 2;
  std::vector<float> mine(vector_floats), total(vector_floats);
  std::vector<double> times;

  const int hosts = count_hosts(comm);
  const Stopwatch total_time;
  for (bool time_is_up = false; !time_is_up;) {
    std::fill(mine.begin(), mine.end(), static_cast<float>(comm.rank() + 1));
    // Clocks differ: the vector's first number counts the ranks whose time is up, so that all stop
    // after the same call.
    mine[0] = total_time.seconds() >= seconds ? 1.0f : 0.0f;
    const Stopwatch time;
    comm.tree_all_reduce({.data = mine.data(),
                          .size = vector_floats,
                          .stride = vector_floats,
                          .first_shard = comm.rank(),
                          .count = 1},
                         ranks, total, {});
    times.push_back(time.seconds());
    if (std::any_of(total.begin() + 1, total.end(), [&](float sum) { return sum != expected; }))
      throw device_error(fmt::format("an all-reduce over {} ranks gave a wrong sum", ranks),
                         "check the network: dmesg, ethtool -S, a different cable");
    time_is_up = total[0] > 0;
  }

  return {ranks, hosts, vector_floats * sizeof(float), static_cast<int>(times.size()),
          median(times)};
}

}  // namespace mnist_dist
