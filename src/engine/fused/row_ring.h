#pragma once
#include <cstddef>
#include <vector>

namespace mnist_dist::fused {

/// The last `depth` rows of a map, or all rows if the map is in memory. Row y is stored where row
/// y - depth was. It is [channel][column][lanes] or a different layout of its user. Kernels address
/// rows through an array of pointers, so that they need no rings.
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
