#include "data/hdf5.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace mnist_dist {
namespace {

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
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_STD_U32LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
}

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
}

/// "uint8", "float32", "string": a stored type as people name it.
std::string type_name(hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_STRING:
      return "string";
    default:
      return "another type";
  }
}

/// HDF5 prints its error stack by itself unless told not to; we turn it into one line. At exit it complains of what a damaged file left open
/// ("infinite loop closing library") unless told to leave that out, before any other call: as it never writes, it has nothing to finish.
void keep_quiet() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

/// The innermost entry of HDF5's error stack: what really went wrong. Any successful HDF5 call forgets it.
std::string last_cause() {
  std::string cause = "HDF5 gives no reason";
  const auto first = [](unsigned index, const H5E_error2_t* entry, void* out) -> herr_t {
    if (index == 0 && entry->desc) *static_cast<std::string*>(out) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first, &cause);
  return cause;
}

std::size_t product(const Extents& extents, std::size_t from = 0) {
  return std::accumulate(extents.begin() + static_cast<std::ptrdiff_t>(std::min(from, extents.size())), extents.end(), std::size_t{1},
                         std::multiplies<>());
}

Handle dataspace(const Extents& extents) {
  const std::vector<hsize_t> dimensions(extents.begin(), extents.end());
  return Handle(H5Screate_simple(static_cast<int>(dimensions.size()), dimensions.data(), nullptr));
}

/// Building a file in memory fails only through a defect of ours or lack of memory.
void expect(bool good, const std::string& name) {
  if (!good) throw Error(ExitCode::internal, fmt::format("cannot build HDF5 object {}: {}", name, last_cause()), "please report this");
}

}  // namespace

// ---- writing

/// HDF5's in-memory driver with memory of our own, which still has the file when HDF5 has closed it. (The image that H5Fget_file_image gives of an
/// open file fails the superblock's checksum.)
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

struct Hdf5Writer::Impl {
  std::vector<std::byte> image;  // outlives the file
  Handle file{H5I_INVALID_HID};

  /// The groups on the way to `name`. HDF5 would make them by itself, but with the time of day in them.
  void make_groups(const std::string& name) const {
    const Handle creation(H5Pcreate(H5P_GROUP_CREATE));
    H5Pset_obj_track_times(creation, false);
    for (std::size_t end = name.find('/', 1); end != std::string::npos; end = name.find('/', end + 1)) {
      const std::string group = name.substr(0, end);
      if (H5Lexists(file, group.c_str(), H5P_DEFAULT) > 0) continue;
      expect(Handle(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT)).valid(), group);
    }
  }
};

Hdf5Writer::Hdf5Writer() : impl_(std::make_unique<Impl>()) {
  keep_quiet();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  keep_image_in(impl_->image, access);
  // The 1.10 format has checksums over all metadata, so that a flipped bit there is an error and not a wrong number.
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const Handle creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_obj_track_times(creation, false);  // same contents, same bytes
  impl_->file = Handle(H5Fcreate("in memory", H5F_ACC_TRUNC, creation, access));
  expect(impl_->file.valid(), "/");
}
Hdf5Writer::~Hdf5Writer() = default;

template <class T>
void Hdf5Writer::dataset(const std::string& name, std::span<const T> values, const Extents& extents, std::size_t chunk_rows) {
  if (values.size() != product(extents))
    throw Error(ExitCode::internal, fmt::format("{} values for HDF5 dataset {} of {}", values.size(), name, product(extents)), "please report this");
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
  const Handle set(H5Dcreate2(impl_->file, name.c_str(), stored_type<T>(), space, H5P_DEFAULT, layout, H5P_DEFAULT));
  expect(set.valid(), name);
  if (!values.empty()) expect(H5Dwrite(set, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0, name);
}

void Hdf5Writer::attribute(const std::string& name, const Attribute& value) {
  Handle stored(H5Tcopy(std::holds_alternative<double>(value) ? H5T_IEEE_F64LE : H5T_STD_I64LE));
  hid_t memory = std::holds_alternative<double>(value) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
  const void* data = std::visit([](const auto& v) -> const void* { return &v; }, value);
  if (const auto* text = std::get_if<std::string>(&value)) {
    stored = Handle(H5Tcopy(H5T_C_S1));
    H5Tset_size(stored, text->size() + 1);  // HDF5 has no strings of no bytes, so that the final 0 is stored
    H5Tset_cset(stored, H5T_CSET_UTF8);
    memory = stored;
    data = text->c_str();
  }
  const Handle scalar(H5Screate(H5S_SCALAR));
  const Handle attribute(H5Acreate2(impl_->file, name.c_str(), stored, scalar, H5P_DEFAULT, H5P_DEFAULT));
  expect(attribute.valid(), name);
  expect(H5Awrite(attribute, memory, data) >= 0, name);
}

std::vector<std::byte> Hdf5Writer::finish() {
  expect(H5Fflush(impl_->file, H5F_SCOPE_GLOBAL) >= 0, "/");
  const ssize_t size = H5Fget_file_image(impl_->file, nullptr, 0);  // without what the memory grew by in advance
  expect(size > 0, "/");
  impl_->file.close();
  impl_->image.resize(static_cast<std::size_t>(size));
  return std::move(impl_->image);
}

// ---- reading

struct Hdf5Reader::Impl {
  std::string path, hint;
  Handle file{H5I_INVALID_HID};

  Error error(const std::string& what) const { return data_error(fmt::format("{}: {}", path, what), hint); }

  Handle open(const std::string& name) const {
    if (!has_link(name)) throw error(fmt::format("dataset {} is missing", name));
    Handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
    if (!set.valid()) throw error(fmt::format("cannot read dataset {}: {}", name, last_cause()));
    return set;
  }

  /// H5Lexists wants every group on the way to exist, so each is asked for.
  bool has_link(const std::string& name) const {
    for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
      const htri_t there = H5Lexists(file, name.substr(0, end).c_str(), H5P_DEFAULT);
      if (there < 0) throw error(fmt::format("cannot read dataset {}: {}", name, last_cause()));
      if (there == 0) return false;
      if (end == std::string::npos) return true;
    }
  }

  Extents extents(hid_t set) const {
    const Handle space(H5Dget_space(set));
    std::vector<hsize_t> dimensions(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    H5Sget_simple_extent_dims(space, dimensions.data(), nullptr);
    return {dimensions.begin(), dimensions.end()};
  }

  /// Opens an attribute and checks its class; `expected` is what the message calls it.
  Handle open_attribute(const std::string& name, H5T_class_t type_class, const char* expected) const {
    Handle attribute(H5Aopen(file, name.c_str(), H5P_DEFAULT));
    if (!attribute.valid()) throw error(fmt::format("attribute {} is missing", name));
    const Handle type(H5Aget_type(attribute));
    const Handle space(H5Aget_space(attribute));
    if (H5Tget_class(type) != type_class || H5Tis_variable_str(type) > 0 || H5Sget_simple_extent_npoints(space) != 1)
      throw error(fmt::format("attribute {} is not {}", name, expected));
    return attribute;
  }

  void read_attribute(hid_t attribute, const std::string& name, hid_t memory, void* out) const {
    if (H5Aread(attribute, memory, out) < 0) throw error(fmt::format("cannot read attribute {}: {}", name, last_cause()));
  }
};

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path, std::string hint) : impl_(std::make_unique<Impl>()) {
  keep_quiet();
  impl_->path = path.string();
  impl_->hint = std::move(hint);
  if (::access(path.c_str(), R_OK) != 0) throw impl_->error(std::strerror(errno));
  if (std::filesystem::is_directory(path)) throw impl_->error(std::strerror(EISDIR));
  if (!std::filesystem::is_regular_file(path)) throw impl_->error("not a regular file");  // HDF5 would wait for a pipe's writer
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  H5Pset_file_locking(access, /*use=*/true, /*ignore_when_disabled=*/true);
#endif
  impl_->file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access));
  if (!impl_->file.valid()) throw impl_->error(fmt::format("not an HDF5 file, or a damaged one: {}", last_cause()));
}
Hdf5Reader::~Hdf5Reader() = default;
Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;

bool Hdf5Reader::has(const std::string& name) const { return impl_->has_link(name); }

Extents Hdf5Reader::extents(const std::string& name) const { return impl_->extents(impl_->open(name)); }

template <class T>
void Hdf5Reader::read_rows(const std::string& name, std::size_t first, std::span<T> out) const {
  const Handle set = impl_->open(name);
  const Handle type(H5Dget_type(set));
  if (H5Tequal(type, stored_type<T>()) <= 0)
    throw impl_->error(fmt::format("dataset {} holds {}, not {}", name, type_name(type), type_name(stored_type<T>())));
  const Extents extents = impl_->extents(set);
  const std::size_t row = product(extents, 1);
  const std::size_t rows = row == 0 ? 0 : out.size() / row;
  if (extents.empty() || rows * row != out.size() || first + rows > extents[0])
    throw impl_->error(
        fmt::format("dataset {} has shape [{}], which does not hold {} values from row {} on", name, fmt::join(extents, ", "), out.size(), first));
  if (out.empty()) return;

  Extents wanted = extents;
  wanted[0] = rows;
  std::vector<hsize_t> start(extents.size(), 0), count(wanted.begin(), wanted.end());
  start[0] = first;
  const Handle in_file(H5Dget_space(set));
  const Handle in_memory = dataspace(wanted);
  H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  if (H5Dread(set, memory_type<T>(), in_memory, in_file, H5P_DEFAULT, out.data()) < 0)
    throw impl_->error(fmt::format("cannot read rows {} to {} of dataset {}: {}", first, first + rows - 1, name, last_cause()));
}

template <class T>
std::vector<T> Hdf5Reader::read(const std::string& name) const {
  std::vector<T> values(product(extents(name)));
  read_rows<T>(name, 0, values);
  return values;
}

bool Hdf5Reader::has_attribute(const std::string& name) const { return H5Aexists(impl_->file, name.c_str()) > 0; }

std::int64_t Hdf5Reader::integer(const std::string& name) const {
  std::int64_t value = 0;
  impl_->read_attribute(impl_->open_attribute(name, H5T_INTEGER, "an integer"), name, H5T_NATIVE_INT64, &value);
  return value;
}

double Hdf5Reader::real(const std::string& name) const {
  double value = 0;
  impl_->read_attribute(impl_->open_attribute(name, H5T_FLOAT, "a real number"), name, H5T_NATIVE_DOUBLE, &value);
  return value;
}

std::string Hdf5Reader::text(const std::string& name) const {
  const Handle attribute = impl_->open_attribute(name, H5T_STRING, "a text");
  const Handle type(H5Aget_type(attribute));
  std::string value(H5Tget_size(type), '\0');
  impl_->read_attribute(attribute, name, type, value.data());
  value.resize(::strnlen(value.data(), value.size()));
  return value;
}

std::string hdf5_version() {
  keep_quiet();
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

#define MNIST_DIST_HDF5_TYPE(T)                                                                              \
  template void Hdf5Writer::dataset<T>(const std::string&, std::span<const T>, const Extents&, std::size_t); \
  template void Hdf5Reader::read_rows<T>(const std::string&, std::size_t, std::span<T>) const;               \
  template std::vector<T> Hdf5Reader::read<T>(const std::string&) const;
MNIST_DIST_HDF5_TYPE(std::uint8_t)
MNIST_DIST_HDF5_TYPE(std::uint32_t)
MNIST_DIST_HDF5_TYPE(std::int64_t)
MNIST_DIST_HDF5_TYPE(std::uint64_t)
MNIST_DIST_HDF5_TYPE(float)
MNIST_DIST_HDF5_TYPE(double)
#undef MNIST_DIST_HDF5_TYPE

}  // namespace mnist_dist
