#pragma once
#include <span>

namespace mnist_dist {

/// From now on the calling thread, and every thread it starts, runs on these CPUs only.
/// Throws: Error (device).
void pin_thread(std::span<const int> cpus);

}  // namespace mnist_dist
