#pragma once
#include <array>
#include <bit>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/hdf5_handle.h"
#include "fuzz/fuzz.h"

namespace mnist_dist::fuzz {

// HDF5 is not ours to fuzz, and every damaged byte of our files fails one of its checksums. Inputs
// are therefore edits of a valid file by HDF5 itself: whole files with wrong types, shapes and
// values.

/// Whether an input is a file of its own and no list of edits.
inline bool is_hdf5(std::span<const std::uint8_t> input) {
  return input.size() >= 4 && input[0] == 0x89 && input[1] == 'H' && input[2] == 'D' &&
         input[3] == 'F';
}

inline hid_t any_type(Numbers& numbers) {
  const std::array types{H5T_STD_U8LE,   H5T_STD_I64LE,  H5T_IEEE_F32LE, H5T_IEEE_F64LE,
                         H5T_STD_U64BE,  H5T_STD_I16LE,  H5T_STD_U32LE,  H5T_C_S1,
                         H5T_IEEE_F32BE, H5T_STD_REF_OBJ};
  return types[numbers.below(types.size())];
}

/// Up to four dimensions, some of them huge.
inline std::vector<hsize_t> any_extents(Numbers& numbers) {
  std::vector<hsize_t> extents(numbers.below(5));
  for (hsize_t& extent : extents) {
    const auto small = numbers.next();
    extent = small < 0xf0 ? small : hsize_t{1} << 4 * (small - 0xf0);
  }
  return extents;
}

inline void edit_attribute(hid_t file, const std::string& name, Numbers& numbers) {
  H5Adelete(file, name.c_str());
  const auto kind = numbers.below(6);
  if (kind == 0) return;
  const hdf5::Handle one(H5Screate(H5S_SCALAR)), text(H5Tcopy(H5T_C_S1));
  const auto write = [&](hid_t type, hid_t space, const void* value) {
    const hdf5::Handle attribute(
        H5Acreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
    if (attribute.valid() && value) H5Awrite(attribute, type, value);
  };
  if (kind == 1) {
    const auto value = numbers.next<std::int64_t>();
    write(H5T_STD_I64LE, one, &value);
  } else if (kind == 2) {
    const auto value = std::bit_cast<double>(numbers.next<std::uint64_t>());
    write(H5T_IEEE_F64LE, one, &value);
  } else if (kind == 3) {
    const std::string value = numbers.text(1 + numbers.next());
    H5Tset_size(text, value.size() + 1);
    write(text, one, value.c_str());
  } else if (kind == 4) {
    const std::string value = numbers.text(numbers.next());
    const char* pointer = value.c_str();
    H5Tset_size(text, H5T_VARIABLE);
    write(text, one, &pointer);
  } else {
    const hid_t type = any_type(numbers);
    const auto extents = any_extents(numbers);
    const hdf5::Handle space(
        H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
    // HDF5 allocates an attribute's value when it makes the attribute.
    if (H5Sget_simple_extent_npoints(space) <= 1000) write(type, space, nullptr);
  }
}

/// Values change in the original's datasets only: HDF5 1.10 crashes when it writes some new ones.
inline void edit_dataset(hid_t file, const std::string& name, Numbers& numbers, bool& original) {
  const auto kind = numbers.below(5);
  if (kind == 0) {  // one value
    if (!original) return;
    const hdf5::Handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
    if (!set.valid()) return;
    const hdf5::Handle space(H5Dget_space(set)), one(H5Screate(H5S_SCALAR));
    std::array<hsize_t, H5S_MAX_RANK> point{};
    const int rank = H5Sget_simple_extent_ndims(space);
    for (int i = 0; i < rank; ++i) point[static_cast<std::size_t>(i)] = numbers.next();
    const auto value = std::bit_cast<float>(numbers.next<std::uint32_t>());
    if (rank > 0 && H5Sselect_elements(space, H5S_SELECT_SET, 1, point.data()) >= 0 &&
        H5Sselect_valid(space) > 0)
      H5Dwrite(set, H5T_NATIVE_FLOAT, one, space, H5P_DEFAULT, &value);
    return;
  }
  original = false;
  H5Ldelete(file, name.c_str(), H5P_DEFAULT);
  if (kind == 1) {
    const hdf5::Handle group(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  } else if (kind == 2) {
    H5Lcreate_soft(numbers.text(16).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  } else if (kind == 3) {
    const hid_t type = any_type(numbers);
    const hdf5::Handle layout(H5Pcreate(H5P_DATASET_CREATE));
    const auto extents = any_extents(numbers);
    const hdf5::Handle space(
        H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
    if (const auto chunk = numbers.next(); chunk > 0 && !extents.empty()) {
      const std::vector<hsize_t> chunks(extents.size(), chunk % 8 + 1);
      H5Pset_chunk(layout, static_cast<int>(chunks.size()), chunks.data());
      if (chunk & 0x80) H5Pset_fletcher32(layout);
      if (chunk & 0x40) H5Pset_deflate(layout, 1);
    }
    const hdf5::Handle set(
        H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, layout, H5P_DEFAULT));
  }
}

/// Writes `original` into `file` and edits it as `input` says, or writes `input` itself if it is an
/// HDF5 file.
inline void write_edited(const File& file, std::span<const std::byte> original,
                         std::span<const std::uint8_t> input,
                         std::span<const std::string> attributes,
                         std::span<const std::string> datasets) {
  require(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) == 0, "a reader leaves nothing open");
  if (is_hdf5(input)) return file.write(std::as_bytes(input));
  file.write(original);
  hdf5::keep_quiet();
  const hdf5::Handle opened(H5Fopen(file.path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  require(opened.valid(), "HDF5 opens the original");
  Numbers numbers(input);
  bool original_datasets = true;
  for (int edit = 0; edit < 8 && !numbers.empty(); ++edit) {
    const auto which = numbers.below(attributes.size() + datasets.size());
    if (which < attributes.size())
      edit_attribute(opened, attributes[which], numbers);
    else
      edit_dataset(opened, datasets[which - attributes.size()], numbers, original_datasets);
  }
}

}  // namespace mnist_dist::fuzz
