#pragma once
#include <chrono>

/// Times after which a rank stops waiting for others, besides `comm.timeout` of the recipe.
/// docs/liveness.md lists all waits. base and engine do not include comm, so their times are where
/// they are used: base/lease.h, base/folder_lock.cpp, base/signals.cpp, base/awake_clock.cpp and
/// engine/torch/device_engine.cpp.
namespace mnist_dist::liveness {

/// Between signs of life of rank 0 while it works for all ranks: well below any useful timeout, and
/// no load. A sweep's leader sends an instruction as often.
inline constexpr std::chrono::milliseconds beat{500};

/// For the replies of other ranks after the timeout, at most the timeout itself. Longer than any
/// step: a rank that is only slow arrives in it.
inline constexpr double grace_seconds = 5;

/// Another rank reports after this time where the one whose turn it is did not.
constexpr double late_report_seconds(double grace) { return 3 * grace + 2; }

/// Before a rank reports a wait without messages, as in MPI_Init: first a host that has stopped
/// ranks, and on each host the lowest rank.
constexpr double report_turn_seconds(bool sees_stopped_ranks, bool is_lowest) {
  return (sees_stopped_ranks ? 0 : 3) + (is_lowest ? 0 : sees_stopped_ranks ? 2 : 1);
}

/// For MPI_Abort, which may wait for a rank that does not respond. Then the rank exits by itself.
inline constexpr std::chrono::seconds abort{5};

/// Between two looks of a Watchdog at its clock.
inline constexpr std::chrono::milliseconds watchdog_look{100};

/// For NCCL to end a communicator without messages of other ranks.
inline constexpr double nccl_parting_seconds = 5;

/// The time of a message. Until then a wait spins, later it yields the core between looks.
inline constexpr std::chrono::microseconds spin{20};

/// The first part of a wait, which is polled at full speed. Later looks, every `nap`, cost at most
/// 1 % and leave the cores to working ranks.
inline constexpr std::chrono::milliseconds polling{10};
inline constexpr std::chrono::microseconds nap{100};

/// Until a rank sees a sweep's folder that rank 0 made: a file server's client may remember for
/// some seconds that something does not exist.
inline constexpr double folder_seconds = 5;
inline constexpr std::chrono::milliseconds folder_look{100};

/// Interval between two looks at others' seeds. LeaseSeeker needs several per second.
inline constexpr std::chrono::milliseconds claims_look{100};
/// Interval between two looks at a sweep's folder while a seed is trained.
inline constexpr std::chrono::seconds training_look{1};

}  // namespace mnist_dist::liveness
