#include "engine/fused/buffer.h"

#include <algorithm>
#include <new>

namespace mnist_dist::fused {

hwy::AlignedFreeUniquePtr<std::byte[]> allocate_zeroed(std::size_t bytes) {
  auto memory = hwy::AllocateAligned<std::byte>(std::max<std::size_t>(bytes, 1));
  if (!memory) throw std::bad_alloc();
  std::fill_n(memory.get(), bytes, std::byte{});
  return memory;
}

}  // namespace mnist_dist::fused
