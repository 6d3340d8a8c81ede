#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "sweep/record.h"
#include "sweep/statistics.h"

namespace mnist_dist {

/// Progress of a sweep by all its processes: read from its folder, piece by piece. A look costs the
/// training thread little, for any number of seeds.
class SweepView {
 public:
  struct Running {
    std::uint64_t seed;
    double share;  ///< 0 to 1, as its worker wrote last
  };

  /// Lists the rows that exist.
  /// Throws: Error (data), as refresh, when a row is damaged.
  SweepView(std::filesystem::path sweep, SweepIdentity identity);

  /// Looks again when it is time, or when `now`. Gives the outcomes, without epochs and mistakes,
  /// whose rows appeared after the construction.
  std::vector<SeedOutcome> refresh(bool now = false);

  const SweepIdentity& identity() const { return identity_; }
  std::size_t declared() const { return declared_; }
  std::size_t done() const { return declared_ - missing_; }
  std::size_t done_before() const { return done_before_; }  ///< rows at the construction
  const std::vector<Running>& running() const { return running_; }

  // Statistics of the rows that were read so far. A small sweep's rows are read at the first look,
  // those of a large sweep within some minutes.
  int trained() const { return trained_; }  ///< seeds that did not diverge
  int failures() const { return failures_; }
  double mean() const { return trained_ > 0 ? sum_ / trained_ : 0; }
  double min() const { return min_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Unread {
    std::uint64_t seed;
    bool is_new;
  };
  void list();
  void read(Clock::time_point until, std::vector<SeedOutcome>& appeared);

  std::filesystem::path sweep_;
  SweepIdentity identity_;
  Target target_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> blocks_;  ///< seeds without a row, ascending
  std::size_t declared_ = 0, missing_ = 0, done_before_ = 0;
  std::vector<Unread> unread_;
  std::vector<Running> running_;
  int trained_ = 0, failures_ = 0;
  double sum_ = 0, min_ = 100;
  Clock::time_point next_look_;
};

}  // namespace mnist_dist
