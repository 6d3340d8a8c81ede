#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "data/hdf5_handle.h"
#include "data/payload.h"

namespace mnist_dist {
namespace {

using namespace hdf5;

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
      return "a different type";
  }
}

/// Files are replaced by rename and never changed, so that a reader needs no lock. There are file
/// systems that have none.
Handle without_locks() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS));
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  H5Pset_file_locking(access, /*use=*/false, /*ignore_when_disabled=*/true);
#endif
  return access;
}

}  // namespace

void reject_if_written(const std::filesystem::path& path) {
  // HDF5 locks files that it writes, and marks it only in its newer formats. The lock goes when the
  // descriptor is closed.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw FileInUse(fmt::format("{}: open for writing in a different program", path.string()),
                  "close it in that program");
}

struct Hdf5Reader::Impl {
  std::string path, hint;
  Handle file{H5I_INVALID_HID};

  /// A file that another program is changing is not damaged: throws FileInUse instead.
  Error error(const std::string& what) const {
    reject_if_written(path);
    return data_error(fmt::format("{}: {}", path, what), hint);
  }

  Handle open(const std::string& name) const {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // each thread has a setting of its own
    if (!has_link(name)) throw error(fmt::format("dataset {} is missing", name));
    Handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
    if (!set.valid()) throw error(fmt::format("cannot read dataset {}: {}", name, last_cause()));
    return set;
  }

  /// H5Lexists needs all parent groups, so each is checked.
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
    std::vector<hsize_t> dimensions(
        static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    H5Sget_simple_extent_dims(space, dimensions.data(), nullptr);
    return {dimensions.begin(), dimensions.end()};
  }

  /// The number of values in a dataset. A few bytes can announce any number: HDF5 makes up values
  /// that a file does not hold. Throws: Error (data) for more than compression can explain.
  std::size_t stored_values(const std::string& name, std::size_t value_size) const {
    const Handle set = open(name);
    const Extents found = extents(set);
    double bytes = static_cast<double>(value_size);
    for (const std::size_t extent : found) bytes *= static_cast<double>(extent);
    if (bytes > static_cast<double>(most_deflation) * static_cast<double>(H5Dget_storage_size(set)))
      throw error(fmt::format("dataset {} has shape [{}], but the file does not hold its values",
                              name, fmt::join(found, ", ")));
    return product(found);
  }

  /// Opens an attribute and checks its class. `expected`: its name in the message.
  Handle open_attribute(const std::string& name, H5T_class_t type_class,
                        const char* expected) const {
    Handle attribute(H5Aopen(file, name.c_str(), H5P_DEFAULT));
    if (!attribute.valid()) throw error(fmt::format("attribute {} is missing", name));
    const Handle type(H5Aget_type(attribute));
    const Handle space(H5Aget_space(attribute));
    if (H5Tget_class(type) != type_class || H5Tis_variable_str(type) > 0 ||
        H5Sget_simple_extent_npoints(space) != 1)
      throw error(fmt::format("attribute {} is not {}", name, expected));
    return attribute;
  }

  void read_attribute(hid_t attribute, const std::string& name, hid_t memory, void* out) const {
    if (H5Aread(attribute, memory, out) < 0)
      throw error(fmt::format("cannot read attribute {}: {}", name, last_cause()));
  }
};

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path, std::string hint)
    : impl_(std::make_unique<Impl>()) {
  keep_quiet();
  impl_->path = path.string();
  impl_->hint = std::move(hint);
  if (::access(path.c_str(), R_OK) != 0) throw impl_->error(std::strerror(errno));
  if (std::filesystem::is_directory(path)) throw impl_->error(std::strerror(EISDIR));
  if (!std::filesystem::is_regular_file(path))
    throw impl_->error("not a regular file");  // HDF5 would wait for a pipe's writer
  reject_if_written(path);
  const Handle access = without_locks();  // closing it would forget the cause of a failure
  impl_->file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access));
  if (impl_->file.valid()) return;
  const std::string cause = last_cause();
  // HDF5's message for a file with a valid header (by its checksum) that a writer has marked.
  if (cause.find("already open") != std::string::npos)
    throw FileInUse(
        fmt::format("{}: marked as open for writing in a different program", impl_->path),
        fmt::format("close it in that program, or run h5clear -s {} if no program has it open",
                    impl_->path));
  throw impl_->error(fmt::format("not an HDF5 file, or a damaged one: {}", cause));
}
Hdf5Reader::~Hdf5Reader() = default;
Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;

void Hdf5Reader::set_hint(std::string hint) { impl_->hint = std::move(hint); }

bool Hdf5Reader::has(const std::string& name) const { return impl_->has_link(name); }

Extents Hdf5Reader::extents(const std::string& name) const {
  return impl_->extents(impl_->open(name));
}

template <class T>
void Hdf5Reader::read_rows(const std::string& name, std::size_t first, std::span<T> out) const {
  const Handle set = impl_->open(name);
  const Handle type(H5Dget_type(set));
  if (H5Tequal(type, stored_type<T>()) <= 0)
    throw impl_->error(fmt::format("dataset {}: wrong type (got {}, expected {})", name,
                                   type_name(type), type_name(stored_type<T>())));
  const Extents extents = impl_->extents(set);
  const std::size_t row = product(extents, 1);
  const std::size_t rows = row == 0 ? 0 : out.size() / row;
  if (extents.empty() || rows * row != out.size() || first + rows > extents[0])
    throw impl_->error(
        fmt::format("dataset {} has shape [{}], which does not hold {} values from row {} on", name,
                    fmt::join(extents, ", "), out.size(), first));
  if (out.empty()) return;

  Extents wanted = extents;
  wanted[0] = rows;
  std::vector<hsize_t> start(extents.size(), 0), count(wanted.begin(), wanted.end());
  start[0] = first;
  const Handle in_file(H5Dget_space(set));
  const Handle in_memory = dataspace(wanted);
  H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  if (H5Dread(set, memory_type<T>(), in_memory, in_file, H5P_DEFAULT, out.data()) < 0)
    throw impl_->error(fmt::format("cannot read rows {} to {} of dataset {}: {}", first,
                                   first + rows - 1, name, last_cause()));
}

template <class T>
std::vector<T> Hdf5Reader::read(const std::string& name) const {
  std::vector<T> values(impl_->stored_values(name, sizeof(T)));
  read_rows<T>(name, 0, values);
  return values;
}

std::vector<std::int64_t> Hdf5Reader::whole_numbers(const std::string& name) const {
  const Handle set = impl_->open(name);
  const Handle type(H5Dget_type(set));
  if (H5Tget_class(type) != H5T_INTEGER)
    throw impl_->error(fmt::format("dataset {}: wrong type (got {}, expected whole numbers)", name,
                                   type_name(type)));
  std::vector<std::int64_t> values(impl_->stored_values(name, H5Tget_size(type)));
  if (!values.empty() &&
      H5Dread(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    throw impl_->error(fmt::format("cannot read dataset {}: {}", name, last_cause()));
  return values;
}

bool Hdf5Reader::has_attribute(const std::string& name) const {
  return H5Aexists(impl_->file, name.c_str()) > 0;
}

std::int64_t Hdf5Reader::integer(const std::string& name) const {
  std::int64_t value = 0;
  impl_->read_attribute(impl_->open_attribute(name, H5T_INTEGER, "an integer"), name,
                        H5T_NATIVE_INT64, &value);
  return value;
}

double Hdf5Reader::real(const std::string& name) const {
  double value = 0;
  impl_->read_attribute(impl_->open_attribute(name, H5T_FLOAT, "a real number"), name,
                        H5T_NATIVE_DOUBLE, &value);
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

#define MNIST_DIST_HDF5_TYPE(T)                                                                \
  template void Hdf5Reader::read_rows<T>(const std::string&, std::size_t, std::span<T>) const; \
  template std::vector<T> Hdf5Reader::read<T>(const std::string&) const;
MNIST_DIST_HDF5_TYPE(std::uint8_t)
MNIST_DIST_HDF5_TYPE(std::uint16_t)
MNIST_DIST_HDF5_TYPE(float)
#undef MNIST_DIST_HDF5_TYPE

}  // namespace mnist_dist
