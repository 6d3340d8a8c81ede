#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace mnist_dist {

/// The machine on which process ids mean the same as here: 16 hexadecimal digits of the running
/// kernel and of this process's id namespace. Two containers on one host are two nodes, and so is a
/// host after a reboot.
const std::string& node_id();

/// When a process of this node started, in clock ticks since boot. 0 where that cannot be read.
std::uint64_t start_of_process(pid_t pid);

/// Whether process `pid` of this node runs. A zombie does not. With `started` (not 0), a later
/// process with the same id does not count.
bool process_runs(pid_t pid, std::uint64_t started = 0);

}  // namespace mnist_dist
