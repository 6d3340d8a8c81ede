#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "comm/communicator.h"
#include "sweep/outcome.h"
#include "sweep/queue.h"
#include "train/observer.h"

namespace mnist_dist {

// A group of ranks works through a sweep's queue. Its rank 0, the leader, claims seeds and writes
// rows, and sends the others of its group one instruction at a time. Groups send each other
// nothing.

/// Why a sweep ends.
enum class SweepEnd : int {
  complete,    ///< every seed has a row
  hopeless,    ///< a seed missed the target, and that was to end it
  interrupted  ///< a signal requested a clean stop
};

/// The message of a leader to its group.
struct Instruction {
  enum Kind : int { wait, train, end, fail } kind = wait;
  SweepEnd why = SweepEnd::complete;  ///< of end
  std::uint64_t seed = 0;             ///< of train
};

/// A file by which the groups of one mpirun stop when one of them stops, or ends for a miss.
class StopSign {
 public:
  explicit StopSign(std::filesystem::path file) : file_(std::move(file)) {}
  void put_up() const;
  bool is_up() const;
  void take_down() const;

 private:
  std::filesystem::path file_;
};

/// A group's leader.
class GroupLeader {
 public:
  struct Hooks {
    std::function<void(const SeedOutcome&)> write_row;
    std::function<bool()> hopeless;        ///< whether to end the sweep. Called often
    std::function<bool()> stop_requested;  ///< by a signal
  };
  /// `stop`: put up for a signal. `miss`: put up by a leader that is hopeless.
  GroupLeader(SeedQueue queue, StopSign stop, StopSign miss, Hooks hooks)
      : queue_(std::move(queue)),
        stop_(std::move(stop)),
        miss_(std::move(miss)),
        hooks_(std::move(hooks)) {}

  /// The next instruction, or `wait` after half a second.
  Instruction next_instruction();
  /// The lock of the seed that is trained.
  FolderLock* lock() { return claim_ ? &claim_->lock : nullptr; }
  /// To call between steps. True: stop after the next one.
  bool between_steps(double share);
  /// Ends the work on a seed: writes its row, or gives the seed back when `error` is a stop or the
  /// loss of the seed to another worker. False: `error` ends the sweep.
  bool end_seed(const SeedOutcome* outcome, const Error* error);

 private:
  std::optional<SweepEnd> reason_to_stop();

  SeedQueue queue_;
  StopSign stop_, miss_;
  Hooks hooks_;
  std::optional<SeedClaim> claim_;
  std::optional<SweepEnd> end_;
  bool lost_ = false;                                ///< the claim, to another worker
  std::chrono::steady_clock::time_point looked_at_;  ///< which sees that this process was stopped
};

/// Trains one seed on a group of ranks. The outcome counts on its rank 0, which has the lock of the
/// seed's run folder.
/// Throws: Error, interrupted on every rank of the group when it stopped.
using TrainSeed = std::function<SeedOutcome(std::uint64_t seed, FolderLock* lock,
                                            const BetweenSteps& between_steps)>;

/// A group's part of a sweep.
/// Collective over `group`. `leader` on its rank 0 only.
SweepEnd run_group(Communicator& group, GroupLeader* leader,
                   const std::function<bool()>& stop_requested, const TrainSeed& train_seed);

}  // namespace mnist_dist
