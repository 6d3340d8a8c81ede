#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "config/config.h"
#include "sweep/dispatch.h"
#include "sweep/record.h"
#include "sweep/seed_run.h"
#include "sweep/statistics.h"
#include "train/session.h"

namespace mnist_dist {

/// Told what happens, on rank 0 of the world. Calls come between two training steps and should be quick.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  /// `record` has the seeds of earlier starts and lives as long as the sweep.
  virtual void started(const SweepRecord& record) = 0;
  virtual void seed_ended(const SeedOutcome& outcome) = 0;
  virtual void tick(const SweepStatus& status) = 0;
  virtual void ended() = 0;
};

struct SweepOptions {
  Config recipe;
  std::string seeds, target;  ///< as typed; parse_seeds, Target
  std::filesystem::path folder;
  int ranks_per_run = 1;
  bool stop_early = false;  ///< end at the first seed that misses the target
  ComputeOptions compute;
  std::string command, machine;  ///< for the record
  std::function<void(const std::string& line)> progress;
  MakeObserver make_observer;
  SweepObserver* observer = nullptr;  ///< on rank 0
};

/// Throws Error (usage) when so many ranks do not make groups of `ranks_per_run`: fewer, or, where a group's size shows in the bits, with a smaller
/// one.
void check_groups(int ranks, int ranks_per_run, bool ranks_show);

/// Trains a recipe once a seed, on groups of `ranks_per_run` ranks (the last one may be smaller: see check_groups), each of which takes the next
/// seed as it gets free; seeds that the folder has are not trained again. Collective over the world. Throws Error: usage for seeds, target, ranks or
/// a folder that does not fit; device for a group that stands still. What came of it is in the folder: read_record.
SweepEnd run_sweep(Communicator& world, const SweepOptions& options);

}  // namespace mnist_dist
