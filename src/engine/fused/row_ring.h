#pragma once
#include <cstddef>
#include <vector>

namespace mnist_dist::fused {

/// The last few rows of a map, as many as are needed at a time (or all, where they are at hand):
/// row y lies where row y - depth was. Row y is [channel][column][lanes] or another layout of its
/// user. Rows above the first few are addressed through an array of pointers, so that kernels need
/// no rings.
class RowRing {
 public:
  RowRing() = default;
  RowRing(float* memory, int depth, std::size_t row_size)
      : memory_(memory), depth_(depth), row_size_(row_size) {}
  float* row(int y) const { return memory_ + static_cast<std::size_t>(y % depth_) * row_size_; }
  /// Writes the pointers of rows [first, last) to `rows`.
  const float* const* rows(int first, int last, std::vector<const float*>& rows) const {
    for (int y = first; y < last; ++y) rows[static_cast<std::size_t>(y - first)] = row(y);
    return rows.data();
  }

 private:
  float* memory_ = nullptr;
  int depth_ = 1;
  std::size_t row_size_ = 0;
};

}  // namespace mnist_dist::fused
