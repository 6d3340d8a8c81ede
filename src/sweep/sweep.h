#pragma once
#include <filesystem>
#include <functional>
#include <limits>
#include <string>

#include "comm/communicator.h"
#include "config/config.h"
#include "sweep/record.h"
#include "sweep/seed_run.h"
#include "sweep/statistics.h"
#include "sweep/view.h"
#include "sweep/worker.h"
#include "train/session.h"

namespace mnist_dist {

/// Receives the events of a sweep, on rank 0 of the world. Calls come between two training steps
/// and should be quick.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  /// `view` has the seeds that have ended so far.
  virtual void started(const SweepView& /*view*/) {}
  /// A row of any process appeared. Without epochs and mistakes.
  virtual void seed_ended(const SeedOutcome& /*outcome*/) {}
  virtual void tick(const SweepView& /*view*/) {}
  /// The tables of a sweep of up to block_size seeds, as they are now, are in the folder.
  virtual void tables_written(const SweepRecord& /*record*/) {}
  virtual void ended() {}
};

struct SweepOptions {
  Config recipe;
  std::string seeds, target;  ///< as typed, for parse_seeds and Target. Empty target: open_sweep
  std::filesystem::path folder;
  int ranks_per_run = 1;
  bool stop_early = false;  ///< end at the first seed that misses the target
  ComputeOptions compute;
  std::string machine;  ///< for the record
  Progress progress;
  SeedFiles files;
  SweepObserver* observer = nullptr;  ///< on rank 0
};

/// Throws: Error (usage) when this number of ranks does not make groups of `ranks_per_run`: fewer,
/// or, where a group's size shows in the bits, with a smaller one.
void check_groups(int ranks, int ranks_per_run, bool ranks_show);

/// Trains a recipe with many seeds on groups of `ranks_per_run` ranks (the last one may be smaller:
/// see check_groups). Each group claims seeds in the sweep's folder until all requested ones have
/// rows there. Other processes may do the same at the same time (sweep/queue.h). The results are in
/// the folder: read_record.
/// Collective over the world.
/// Throws: Error: usage for seeds, target, ranks or a folder that does not fit, data for files,
/// internal when two processes have different rows of one seed.
SweepEnd run_sweep(Communicator& world, const SweepOptions& options);

/// Makes the tables from the sweep's rows as they are now, and returns the record. `also` writes
/// further files from it. The tables of a sweep of an earlier version, or a published one, stay as
/// they are. One process at a time reads the rows. With more than `many` rows, the processes that
/// end together do not all do the same: when seeds.csv has all rows already, nothing is written and
/// the record is without epochs and mistakes.
/// Throws: Error (data).
SweepRecord write_tables_of(const std::filesystem::path& folder,
                            const std::function<void(const SweepRecord&)>& also = {},
                            std::size_t many = std::numeric_limits<std::size_t>::max());

}  // namespace mnist_dist
