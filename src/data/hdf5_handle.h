#pragma once
#include <hdf5.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "data/hdf5.h"

// Shared by the writer and the reader. No other file includes HDF5.

namespace mnist_dist::hdf5 {

/// Owns an HDF5 identifier of any kind.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() { close(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) close(), id_ = std::exchange(other.id_, H5I_INVALID_HID);
    return *this;
  }
  void close() {
    if (valid()) H5Idec_ref(std::exchange(id_, H5I_INVALID_HID));
  }
  bool valid() const { return id_ >= 0; }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
};

/// How T is stored, the same on every machine.
template <class T>
hid_t stored_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_STD_U16LE;
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
}

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
}

/// HDF5 prints its error stack by default. We turn it into one line. At exit it complains of open
/// objects of a damaged file ("infinite loop closing library") unless this is disabled before any
/// other call. A program that never writes has nothing to finish. Also disables file locks in the
/// environment, which has priority.
inline void keep_quiet() {
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  ::unsetenv("HDF5_USE_FILE_LOCKING");
#else
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
#endif
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

/// The innermost entry of HDF5's error stack: the real cause. Any successful HDF5 call forgets it.
inline std::string last_cause() {
  std::string cause = "HDF5 gives no reason";
  const auto first = [](unsigned index, const H5E_error2_t* entry, void* out) -> herr_t {
    if (index == 0 && entry->desc) *static_cast<std::string*>(out) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first, &cause);
  return cause;
}

inline std::size_t product(const Extents& extents, std::size_t from = 0) {
  return std::accumulate(
      extents.begin() + static_cast<std::ptrdiff_t>(std::min(from, extents.size())), extents.end(),
      std::size_t{1}, std::multiplies<>());
}

inline Handle dataspace(const Extents& extents) {
  const std::vector<hsize_t> dimensions(extents.begin(), extents.end());
  return Handle(H5Screate_simple(static_cast<int>(dimensions.size()), dimensions.data(), nullptr));
}

}  // namespace mnist_dist::hdf5
