#include "base/cpus.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// The same text for all hyper-threads of a core. Without such a file every CPU is a core.
std::string core_of(int cpu) {
  std::ifstream file(
      fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  std::string siblings;
  return std::getline(file, siblings) ? siblings : std::to_string(cpu);
}

/// "QUOTA PERIOD" of version 2, or two files of version 1. 0 without a quota: "max 100000", or -1.
double quota_in(const fs::path& group) {
  double quota = 0, period = 0;
  if (std::ifstream both(group / "cpu.max"); both)
    return both >> quota >> period && period > 0 ? quota / period : 0;
  std::ifstream first(group / "cpu.cfs_quota_us"), second(group / "cpu.cfs_period_us");
  return first >> quota && second >> period && quota > 0 && period > 0 ? quota / period : 0;
}

/// 0: no quota.
double lesser(double a, double b) { return a > 0 && b > 0 ? std::min(a, b) : std::max(a, b); }

/// The least quota of `mount` and of the groups from there down to `group`. A container often sees
/// its own group as `mount` while `group` is a path of the host: folders that do not exist count as
/// without a quota.
double least_quota(const fs::path& mount, const std::string& group) {
  double least = quota_in(mount);
  fs::path folder = mount;
  for (const fs::path& part : fs::path(group).relative_path()) {
    folder /= part;
    least = lesser(least, quota_in(folder));
  }
  return least;
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

double cpu_quota(const fs::path& system) {
  const fs::path mount = system / "sys/fs/cgroup";
  double least = 0;
  std::ifstream groups(system / "proc/self/cgroup");
  // "0::/docker/abc" is of version 2, "4:cpu,cpuacct:/docker/abc" of version 1. Both can be there.
  for (std::string line; std::getline(groups, line);) {
    std::istringstream fields(line);
    std::string number, controllers, group;
    std::getline(std::getline(std::getline(fields, number, ':'), controllers, ':'), group);
    if (controllers.empty()) {
      least = lesser(least, least_quota(mount, group));
    } else if ((',' + controllers + ',').find(",cpu,") != std::string::npos) {
      least = lesser(least, least_quota(mount / controllers, group));
      least = lesser(least, least_quota(mount / "cpu", group));
    }
  }
  return least;
}

int usable_core_count(int cores, double quota) {
  const int paid = quota > 0 ? std::max(1, static_cast<int>(quota)) : cores;
  return std::max(1, std::min(cores, paid));
}

int usable_core_count() {
  return usable_core_count(static_cast<int>(usable_cores().size()), cpu_quota());
}

}  // namespace mnist_dist
