#pragma once
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/folder_lock.h"

namespace mnist_dist {

/// A seed that this process trains. The lock of its run folder keeps other processes from it.
struct SeedClaim {
  std::uint64_t seed = 0;
  std::filesystem::path folder;  ///< its run folder
  FolderLock lock;
};

/// The seeds of a sweep that have no row yet, as one of many workers sees them in the sweep's
/// folder. Workers send each other nothing: a worker claims a seed by the lease of its run folder.
/// The claim of a worker that was killed or stopped becomes stale, and another one takes it over.
///
/// One claim costs the same however many seeds there are: a block of a thousand seeds is listed
/// once, when the worker comes to it. Each worker begins at a different block.
class SeedQueue {
 public:
  /// Seeds are claimed in the order of `seeds`, block by block.
  SeedQueue(std::filesystem::path sweep, const std::vector<std::uint64_t>& seeds, LeasePace pace);

  /// Claims a seed, without waiting. Returns nothing when none is left, or all the rest are claimed
  /// by others: try again several times per second until `finished`.
  /// Throws: Error (data) when the folder cannot be read or written.
  std::optional<SeedClaim> next();
  /// To call while a seed is trained, several times per second: others' claims become stale by a
  /// clock that counts a gap between two calls as at most a quarter of a second.
  void tick() { clock_->seconds(); }
  /// A seed that this worker gave back, or lost. It must have let go of its lock.
  void put_back(std::uint64_t seed) { held_.push_back({seed, nullptr}); }
  /// Whether all seeds have rows, as far as they were looked at.
  bool finished() const { return block_ == blocks_.size() && held_.empty(); }

 private:
  struct Block {
    std::uint64_t number;
    std::deque<std::uint64_t> seeds;
  };
  /// A seed that another worker had when this one looked.
  struct Held {
    std::uint64_t seed;
    std::unique_ptr<LeaseSeeker> seeker;
  };
  bool has_row(std::uint64_t seed) const;
  /// Nothing when the seed has a row, or when another worker has it: then it is among the held
  /// ones.
  std::optional<SeedClaim> try_claim(Held held);
  std::optional<SeedClaim> look_at_held();

  std::filesystem::path sweep_;
  LeasePace pace_;
  std::shared_ptr<AwakeClock> clock_ = std::make_shared<AwakeClock>();
  std::vector<Block> blocks_;
  std::size_t block_ = 0;  ///< the one to claim from. Those before are done or held
  bool listed_ = false;    ///< its rows
  std::deque<Held> held_;
};

}  // namespace mnist_dist
