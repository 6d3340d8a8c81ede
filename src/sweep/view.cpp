#include "sweep/view.h"

#include <algorithm>

#include "base/file.h"
#include "base/folder_lock.h"
#include "sweep/places.h"
#include "sweep/row.h"
#include "sweep/seeds.h"
#include "sweep/verdict.h"

namespace mnist_dist {
namespace {

using namespace std::chrono_literals;

constexpr auto shortest_pause = 250ms;  // smooth to the eye
// Pause after a look, as a multiple of its time: a look is at most 2 % of a worker's time.
constexpr int pause_per_look = 50;
constexpr auto reading_time = 100ms;  // of one look

}  // namespace

SweepView::SweepView(std::filesystem::path sweep, SweepIdentity identity)
    : sweep_(std::move(sweep)), identity_(std::move(identity)), target_(identity_.target) {
  for (const std::uint64_t seed : parse_seeds(identity_.seeds))
    blocks_[block_of(seed)].push_back(seed), ++declared_;
  for (auto& [block, seeds] : blocks_) std::ranges::sort(seeds);
  missing_ = declared_;
  list();
  done_before_ = done();
  for (Unread& row : unread_) row.is_new = false;
  std::vector<SeedOutcome> appeared;
  read(Clock::now() + reading_time, appeared);
}

std::vector<SeedOutcome> SweepView::refresh(bool now) {
  const auto begin = Clock::now();
  std::vector<SeedOutcome> appeared;
  if (!now && begin < next_look_) return appeared;
  list();
  read(begin + reading_time, appeared);
  const auto end = Clock::now();
  next_look_ = end + std::max<Clock::duration>(shortest_pause, pause_per_look * (end - begin));
  return appeared;
}

void SweepView::list() {
  running_.clear();
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    auto& [number, missing] = *block;
    const auto rows = rows_in(sweep_, number);
    std::erase_if(missing, [&](std::uint64_t seed) {
      const bool done = std::ranges::binary_search(rows, seed);
      if (done) unread_.push_back({seed, true}), --missing_;
      return done;
    });
    for (const std::uint64_t seed : runs_in(sweep_, number))
      if (std::ranges::binary_search(missing, seed))
        if (const auto share = lease_share(lease_file(seed_run_folder(sweep_, seed))))
          running_.push_back({seed, *share});
    block = missing.empty() ? blocks_.erase(block) : std::next(block);
  }
}

void SweepView::read(Clock::time_point until, std::vector<SeedOutcome>& appeared) {
  // From the back: rows that have just appeared before those of earlier starts.
  while (!unread_.empty() && Clock::now() < until) {
    const auto [seed, is_new] = unread_.back();
    const auto file = row_file(sweep_, seed);
    SeedOutcome outcome =
        parse_row(read_text_file(file), file.string(), identity_, RowPart::scores);
    unread_.pop_back();
    if (!reaches(outcome, target_)) ++failures_;
    if (!outcome.diverged) {
      ++trained_;
      sum_ += accuracy_of(outcome);
      min_ = std::min(min_, accuracy_of(outcome));
    }
    if (is_new) appeared.push_back(std::move(outcome));
  }
  std::ranges::reverse(appeared);
}

}  // namespace mnist_dist
