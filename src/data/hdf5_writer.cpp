#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/hdf5_handle.h"

namespace mnist_dist {
namespace {

using namespace hdf5;

/// Building a file in memory fails only through a defect of ours or for memory.
void expect(bool good, const std::string& name) {
  if (!good)
    throw internal_error(fmt::format("cannot build HDF5 object {}: {}", name, last_cause()));
}

/// HDF5's in-memory driver with memory of our own, which still has the file when HDF5 has closed
/// it. (The image that H5Fget_file_image gives of an open file fails the superblock's checksum.)
void keep_image_in(std::vector<std::byte>& image, hid_t access) {
  constexpr std::size_t growth = 1 << 20;  // bytes the file grows by
  H5Pset_fapl_core(access, growth, /*backing_store=*/false);
  H5FD_file_image_callbacks_t callbacks{};
  callbacks.udata = &image;
  callbacks.udata_copy = [](void* user) { return user; };
  callbacks.udata_free = [](void*) -> herr_t { return 0; };
  callbacks.image_realloc = [](void*, std::size_t size, H5FD_file_image_op_t, void* user) -> void* {
    auto& bytes = *static_cast<std::vector<std::byte>*>(user);
    bytes.resize(size);
    return bytes.data();
  };
  callbacks.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
  H5Pset_file_image_callbacks(access, &callbacks);
}

}  // namespace

struct Hdf5Writer::Impl {
  std::vector<std::byte> image;  // outlives the file
  Handle file{H5I_INVALID_HID};

  /// The groups on the way to `name`. HDF5 would make them automatically, but with the time of day
  /// in them.
  void make_groups(const std::string& name) const {
    const Handle creation(H5Pcreate(H5P_GROUP_CREATE));
    H5Pset_obj_track_times(creation, false);
    for (std::size_t end = name.find('/', 1); end != std::string::npos;
         end = name.find('/', end + 1)) {
      const std::string group = name.substr(0, end);
      if (H5Lexists(file, group.c_str(), H5P_DEFAULT) > 0) continue;
      expect(Handle(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT)).valid(),
             group);
    }
  }
};

Hdf5Writer::Hdf5Writer() : impl_(std::make_unique<Impl>()) {
  keep_quiet();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  keep_image_in(impl_->image, access);
  // The 1.10 format has checksums over all metadata, so that a flipped bit there is an error and
  // not a wrong number.
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const Handle creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_obj_track_times(creation, false);  // same contents, same bytes
  impl_->file = Handle(H5Fcreate("in memory", H5F_ACC_TRUNC, creation, access));
  expect(impl_->file.valid(), "/");
}
Hdf5Writer::~Hdf5Writer() = default;

template <class T>
void Hdf5Writer::dataset(const std::string& name, std::span<const T> values, const Extents& extents,
                         std::size_t chunk_rows) {
  if (values.size() != product(extents))
    throw internal_error(
        fmt::format("{} values for HDF5 dataset {} of {}", values.size(), name, product(extents)));
  impl_->make_groups(name);
  const Handle layout(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(layout, false);
  if (chunk_rows > 0 && !values.empty()) {
    std::vector<hsize_t> chunk(extents.begin(), extents.end());
    chunk[0] = std::min<hsize_t>(chunk_rows, extents[0]);
    H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data());
    H5Pset_fletcher32(layout);
  }
  const Handle space = dataspace(extents);
  const Handle set(H5Dcreate2(impl_->file, name.c_str(), stored_type<T>(), space, H5P_DEFAULT,
                              layout, H5P_DEFAULT));
  expect(set.valid(), name);
  if (!values.empty())
    expect(H5Dwrite(set, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
           name);
}

void Hdf5Writer::attribute(const std::string& name, const Attribute& value) {
  Handle stored(H5Tcopy(std::holds_alternative<double>(value) ? H5T_IEEE_F64LE : H5T_STD_I64LE));
  hid_t memory = std::holds_alternative<double>(value) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
  const void* data = std::visit([](const auto& v) -> const void* { return &v; }, value);
  if (const auto* text = std::get_if<std::string>(&value)) {
    stored = Handle(H5Tcopy(H5T_C_S1));
    H5Tset_size(stored, text->size() +
                            1);  // HDF5 has no strings of no bytes, so that the final 0 is stored
    H5Tset_cset(stored, H5T_CSET_UTF8);
    memory = stored;
    data = text->c_str();
  }
  const Handle scalar(H5Screate(H5S_SCALAR));
  const Handle attribute(
      H5Acreate2(impl_->file, name.c_str(), stored, scalar, H5P_DEFAULT, H5P_DEFAULT));
  expect(attribute.valid(), name);
  expect(H5Awrite(attribute, memory, data) >= 0, name);
}

std::vector<std::byte> Hdf5Writer::finish() {
  expect(H5Fflush(impl_->file, H5F_SCOPE_GLOBAL) >= 0, "/");
  const ssize_t size =
      H5Fget_file_image(impl_->file, nullptr, 0);  // without memory allocated in advance
  expect(size > 0, "/");
  impl_->file.close();
  impl_->image.resize(static_cast<std::size_t>(size));
  return std::move(impl_->image);
}

template void Hdf5Writer::dataset<std::uint8_t>(const std::string&, std::span<const std::uint8_t>,
                                                const Extents&, std::size_t);
template void Hdf5Writer::dataset<std::uint16_t>(const std::string&, std::span<const std::uint16_t>,
                                                 const Extents&, std::size_t);
template void Hdf5Writer::dataset<float>(const std::string&, std::span<const float>, const Extents&,
                                         std::size_t);

}  // namespace mnist_dist
