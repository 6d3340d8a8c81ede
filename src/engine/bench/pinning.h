#pragma once
#include <span>
#include <vector>

namespace mnist_dist {

/// One CPU number for each physical core that this process may use: hyper-threads of one core share what is to be measured.
std::vector<int> usable_cores();

/// From now on the calling thread, and every thread it starts, runs on these CPUs only. Throws Error (device).
void pin_thread(std::span<const int> cpus);

}  // namespace mnist_dist
