#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/descriptor.h"

namespace mnist_dist {

/// Memory that one process fills and other processes of its host read. It has no name in a file
/// system, so that nothing of it remains when they end or are killed.
class SharedMemory {
 public:
  /// How other processes of the host find it while its maker has it.
  struct Place {
    int pid = 0, descriptor = -1;
    std::array<char, 32> name{};  ///< that no other such memory has, ended by a zero
  };

  /// `size` > 0 bytes, which are constant after `fill`. nullopt where the system has no such memory
  /// or not enough of it.
  static std::optional<SharedMemory> make(std::size_t size,
                                          const std::function<void(std::span<std::byte>)>& fill);
  /// nullopt where this process cannot reach it, for example in a different container.
  static std::optional<SharedMemory> open(const Place& place);

  Place place() const;
  std::span<const std::byte> bytes() const { return {memory_.get(), memory_.get_deleter().size}; }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(std::byte* memory) const;
  };
  using Memory = std::unique_ptr<std::byte, Unmap>;
  static Memory map(int descriptor, std::size_t size, int protection);
  SharedMemory(Descriptor file, Memory memory)
      : file_(std::move(file)), memory_(std::move(memory)) {}

  Descriptor file_;
  Memory memory_;
};

}  // namespace mnist_dist
