#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "base/error.h"
#include "temporary_folder.h"

// Common to the fuzz targets. A target is one function, LLVMFuzzerTestOneInput. libFuzzer calls it
// in the preset `sanitize`. In every other build replay.cpp calls it with the files of corpus/, as
// tests.

namespace mnist_dist::fuzz {

/// Ends the program when a property does not hold. libFuzzer then keeps the input.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", property);
  std::abort();
}

/// The property of every reader: it returns, or it throws an Error that blames the file and has a
/// hint. Anything else that is thrown ends the program. Returns whether the reader returned.
template <class Reader>
bool accepted(Reader&& reader) {
  try {
    reader();
    return true;
  } catch (const Error& error) {
    require(error.code() == ExitCode::usage || error.code() == ExitCode::data,
            "a bad file is an error of usage or data");
    require(*error.what() != '\0' && !error.hint().empty(), "an error has a text and a hint");
    return false;
  }
}

/// A file, for readers that open paths.
class File {
 public:
  std::filesystem::path path() const { return folder_ / "input"; }
  void write(std::span<const std::byte> bytes) const {
    // A new inode: HDF5 takes a path with the inode of a file that it still has open for that file.
    std::filesystem::remove(path());
    std::ofstream out(path(), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    require(out.flush().good(), "the input is written");
  }

 private:
  TemporaryFolder folder_;
};

/// An input as text.
inline std::string text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// An input as numbers, from its front. After its end all numbers are 0.
class Numbers {
 public:
  explicit Numbers(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  template <class T = std::uint8_t>
  T next() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T) && !bytes_.empty(); ++i, bytes_ = bytes_.subspan(1))
      value |= std::uint64_t{bytes_[0]} << 8 * i;
    return static_cast<T>(value);
  }
  /// 0 to count - 1.
  std::size_t below(std::size_t count) { return next() % count; }
  std::string text(std::size_t size) {
    size = std::min(size, bytes_.size());
    const std::string taken(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    bytes_ = bytes_.subspan(size);
    return taken;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace mnist_dist::fuzz
