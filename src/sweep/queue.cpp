#include "sweep/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "sweep/places.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

// Held seeds that a call looks at: a look reads two small files.
constexpr std::size_t most_looks = 16;

/// Not the folders above the sweep's, nor the sweep's own, which may have been moved away.
void make_run_folder(const fs::path& sweep, const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(sweep / "runs", error)) fs::create_directories(folder, error);
  if (!fs::is_directory(folder))
    throw data_error(fmt::format("cannot create {}: {}", folder.string(),
                                 error ? error.message() : "the sweep's folder no longer exists"),
                     "leave the sweep's folder in place until the sweep has ended");
}

}  // namespace

SeedQueue::SeedQueue(fs::path sweep, const std::vector<std::uint64_t>& seeds, LeasePace pace)
    : sweep_(std::move(sweep)), pace_(pace) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (const std::uint64_t seed : seeds) {
    const auto [place, is_new] = places.try_emplace(block_of(seed), blocks_.size());
    if (is_new) blocks_.push_back({block_of(seed), {}});
    blocks_[place->second].seeds.push_back(seed);
  }
  if (blocks_.size() < 2) return;
  std::random_device random;
  const auto first = static_cast<std::ptrdiff_t>(random() % blocks_.size());
  std::rotate(blocks_.begin(), blocks_.begin() + first, blocks_.end());
}

bool SeedQueue::has_row(std::uint64_t seed) const {
  std::error_code error;
  return fs::exists(row_file(sweep_, seed), error);
}

std::optional<SeedClaim> SeedQueue::next() {
  tick();
  for (; block_ < blocks_.size(); ++block_, listed_ = false) {
    auto& [number, seeds] = blocks_[block_];
    if (!listed_) {
      const auto done = rows_in(sweep_, number);
      std::erase_if(seeds, [&](auto seed) { return std::ranges::binary_search(done, seed); });
      listed_ = true;
    }
    while (!seeds.empty()) {
      const std::uint64_t seed = seeds.front();
      seeds.pop_front();
      if (auto claim = try_claim({seed, nullptr})) return claim;
    }
    seeds.shrink_to_fit();
  }
  return look_at_held();
}

std::optional<SeedClaim> SeedQueue::try_claim(Held held) {
  if (has_row(held.seed)) return std::nullopt;
  const fs::path folder = seed_run_folder(sweep_, held.seed);
  if (!held.seeker) {
    make_run_folder(sweep_, folder);
    held.seeker = std::make_unique<LeaseSeeker>(lease_file(folder), pace_, clock_);
  }
  auto lease = held.seeker->try_take();
  if (!lease) {
    held_.push_back(std::move(held));
    return std::nullopt;
  }
  SeedClaim claim{held.seed, folder, FolderLock(folder, std::move(*lease))};
  if (has_row(held.seed)) return std::nullopt;  // the one that had the claim ended just now
  remove_leftovers_beside(row_file(sweep_, held.seed));
  return claim;
}

std::optional<SeedClaim> SeedQueue::look_at_held() {
  for (std::size_t left = std::min(held_.size(), most_looks); left > 0; --left) {
    Held held = std::move(held_.front());
    held_.pop_front();
    if (auto claim = try_claim(std::move(held))) return claim;
  }
  return std::nullopt;
}

}  // namespace mnist_dist
