#pragma once
#include <filesystem>
#include <vector>

namespace mnist_dist {

/// One CPU number for each physical core of this process's affinity mask. Hyper-threads of one core
/// count once.
std::vector<int> usable_cores();

/// CPUs' worth of time that a container's cgroup allows (version 1 or 2, its own group or one
/// above), e.g. 1.5. 0 means no limit. `system` is the folder with sys/fs/cgroup and
/// proc/self/cgroup.
double cpu_quota(const std::filesystem::path& system = "/");

/// Whole cores to compute on: of the affinity mask, and no more than the quota pays for. At
/// least 1.
int usable_core_count();
/// The same of given numbers.
int usable_core_count(int cores, double quota);

}  // namespace mnist_dist
