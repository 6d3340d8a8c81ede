#pragma once
#include <hwy/aligned_allocator.h>

#include <algorithm>
#include <cstddef>

namespace mnist_dist::fused {

/// A fixed number of zeroed elements, aligned for any SIMD target.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(hwy::AllocateAligned<T>(std::max<std::size_t>(size, 1))), size_(size) { std::fill_n(data(), size, T{}); }
  T* data() const { return data_.get(); }
  T& operator[](std::size_t i) const { return data_[i]; }
  std::size_t size() const { return size_; }

 private:
  hwy::AlignedFreeUniquePtr<T[]> data_;
  std::size_t size_ = 0;
};

}  // namespace mnist_dist::fused
