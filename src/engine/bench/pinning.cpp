#include "engine/bench/pinning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <string>

#include "base/error.h"

namespace mnist_dist {
namespace {

/// The same text for all hyper-threads of a core; where the system does not tell, every CPU is a core.
std::string core_of(int cpu) {
  std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  std::string siblings;
  return std::getline(file, siblings) ? siblings : std::to_string(cpu);
}

}  // namespace

std::vector<int> usable_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {0};
  std::vector<int> cpus;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && cores.insert(core_of(cpu)).second) cpus.push_back(cpu);
  return cpus;
}

void pin_thread(std::span<const int> cpus) {
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const int cpu : cpus) CPU_SET(cpu, &wanted);
  if (sched_setaffinity(0, sizeof wanted, &wanted) != 0)
    throw device_error(fmt::format("this thread cannot be pinned to CPU {}: {}", fmt::join(cpus, ", "), std::strerror(errno)),
                       "run it where the system allows sched_setaffinity");
}

}  // namespace mnist_dist
