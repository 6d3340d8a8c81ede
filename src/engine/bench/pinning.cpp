#include "engine/bench/pinning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace mnist_dist {
void pin_thread(std::span<const int> cpus) {
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const int cpu : cpus) CPU_SET(cpu, &wanted);
  if (sched_setaffinity(0, sizeof wanted, &wanted) != 0)
    throw device_error(fmt::format("this thread cannot be pinned to CPU {}: {}",
                                   fmt::join(cpus, ", "), std::strerror(errno)),
                       "run it where the system allows sched_setaffinity");
}

}  // namespace mnist_dist
