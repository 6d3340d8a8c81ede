// Latency of the step's one collective: mpirun -np 2 all_reduce_bench [floats per shard] [shards]
// [calls]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "comm/communicator.h"

using namespace mnist_dist;
using Clock = std::chrono::steady_clock;

int main(int argc, char** argv) {
  const auto argument = [&](int i, int otherwise) {
    return argc > i ? std::atoi(argv[i]) : otherwise;
  };
  const auto floats = static_cast<std::size_t>(argument(1, 9952));  // step 3's flat vector: 39 KB
  const auto world = make_world(detect_launcher(), 60);
  const int shards = argument(2, world->size()), calls = argument(3, 20000);

  const Range owned = even_share(world->rank(), world->size(), shards);
  std::vector<float> vectors(floats * static_cast<std::size_t>(owned.size())), total(floats);
  std::vector<double> microseconds;
  for (int i = 0; i < calls; ++i) {
    std::fill(vectors.begin(), vectors.end(), 1.0f);
    const auto start = Clock::now();
    world->tree_all_reduce({vectors.data(), floats, floats, owned.first, owned.size()}, shards,
                           total, {});
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }

  std::sort(microseconds.begin(), microseconds.end());
  const auto quantile = [&](double q) {
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))];
  };
  if (world->rank() == 0)
    fmt::print(
        "tree all-reduce, {} ranks, {} shards of {} floats, {} calls: median {:.1f} us, 10% {:.1f} "
        "us, 90% {:.1f} us\n",
        world->size(), shards, floats, calls, quantile(0.5), quantile(0.1), quantile(0.9));
}
