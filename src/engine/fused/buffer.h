#pragma once
#include <hwy/aligned_allocator.h>

#include <cstddef>

namespace mnist_dist::fused {

hwy::AlignedFreeUniquePtr<std::byte[]> allocate_zeroed(std::size_t bytes);

/// A fixed number of elements, 0 at first, aligned for any SIMD target.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(allocate_zeroed(size * sizeof(T))), size_(size) {}
  T* data() const { return reinterpret_cast<T*>(data_.get()); }
  T& operator[](std::size_t i) const { return data()[i]; }
  std::size_t size() const { return size_; }

 private:
  hwy::AlignedFreeUniquePtr<std::byte[]> data_;
  std::size_t size_ = 0;
};

}  // namespace mnist_dist::fused
