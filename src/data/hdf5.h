#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace mnist_dist {

// The only door to HDF5: hdf5_handle.h alone includes it. Files are built in memory and written by
// write_file_atomically, because HDF5 1.10 crashes at exit when it meets a full disk itself.

using Extents = std::vector<std::size_t>;

/// "1.10.8": of the library that is loaded.
std::string hdf5_version();

/// An attribute of the root group.
using Attribute = std::variant<std::int64_t, double, std::string>;

/// An HDF5 file under construction in memory. Names are absolute paths ("/train/images"). Missing
/// groups are made.
class Hdf5Writer {
 public:
  Hdf5Writer();
  ~Hdf5Writer();
  /// T is uint8_t, uint16_t or float. chunk_rows > 0 stores chunks of that number of rows of the
  /// first dimension, with Fletcher32.
  template <class T>
  void dataset(const std::string& name, std::span<const T> values, const Extents& extents,
               std::size_t chunk_rows = 0);
  void attribute(const std::string& name, const Attribute& value);
  /// The finished file's bytes. The writer is closed then.
  std::vector<std::byte> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Thrown of a file that another program has open for writing (exit code: data). It may be healthy:
/// nothing may be written in its place, and no older file may be used for it.
class FileInUse : public Error {
 public:
  FileInUse(const std::string& what, std::string hint)
      : Error(ExitCode::data, what, std::move(hint)) {}
};

/// Throws FileInUse when another program has locked a file for writing. Where locks do not work it
/// finds nothing.
void reject_if_written(const std::filesystem::path& file);

/// An HDF5 file open for reading, without a lock. Every failure throws Error (data) that names the
/// file and the dataset: missing, wrong type, wrong shape, damaged chunk. Its hint is `hint`.
/// Throws FileInUse instead if another program has the file open. HDF5 is not safe for threads: use
/// one at a time.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(
      const std::filesystem::path& path,
      std::string hint = "write the file again: it is damaged or of a different kind");
  ~Hdf5Reader();
  Hdf5Reader(Hdf5Reader&&) noexcept;
  /// Of the errors from now on.
  void set_hint(std::string hint);
  bool has(const std::string& name) const;
  Extents extents(const std::string& name) const;
  /// Rows [first, first + out.size() / row size) of the first dimension, by hyperslab.
  template <class T>
  void read_rows(const std::string& name, std::size_t first, std::span<T> out) const;
  template <class T>
  std::vector<T> read(const std::string& name) const;
  /// Whole numbers of any stored type. Those that int64 cannot hold become its least or greatest.
  std::vector<std::int64_t> whole_numbers(const std::string& name) const;
  bool has_attribute(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;
  std::string text(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mnist_dist
