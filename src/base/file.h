#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist {

/// Writes `bytes` so that `path` afterwards holds either all of them or its old contents: temporary
/// file beside it, fsync, rename, fsync of the folder. Follows a symbolic link. Makes no folder,
/// because a folder that was moved away would be replaced with a stub.
/// Throws: Error (data) naming the path and the reason (no space left, permission denied, ...), or
/// that it is a device, a pipe or a folder. The temporary file is gone then.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// write_file_atomically in pieces, for files that need not fit into memory. Without put_in_place
/// nothing is left of it.
/// Throws: Error (data).
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  ~AtomicFile();
  void write(std::string_view text);
  void put_in_place();

 private:
  void flush();
  std::filesystem::path path_, temporary_;
  int file_ = -1;
  std::string waiting_;
};

/// As write_file_atomically, but only one of many processes makes the file, and it is never
/// replaced. Gives false when it exists.
[[nodiscard]] bool create_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Makes a folder and the missing ones above it. An existing one is left as it is.
/// Throws: Error (data).
void make_folders(const std::filesystem::path& folder);

/// The file that write_file_atomically renames: `path`.tmpPID.NODE, so that neither two
/// processes nor two hosts that write the same file share one.
std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Whether a file is named as a temporary file of write_file_atomically (also as earlier versions
/// named it: .tmpPID) for a file whose name begins with one of `names`.
bool is_temporary(const std::filesystem::path& file, std::span<const std::string_view> names);

// Files of killed processes are removed at the next start, but never files of a live process of
// this node, and before this process writes anything there. Files that cannot be removed stay.

/// The temporary files, in a folder that this process has locked, of files whose names begin with
/// one of `names`.
void remove_leftovers_in(const std::filesystem::path& locked_folder,
                         std::span<const std::string_view> names);
/// The temporary files of one file in a folder where others may write, too. Those of other nodes
/// stay for a day.
void remove_leftovers_beside(const std::filesystem::path& file);

/// The names in a folder, in no order. None where it cannot be listed.
std::vector<std::string> entry_names(const std::filesystem::path& folder);

/// Renames within a folder, in place of an existing `to`, and fsyncs the folder.
/// Throws: Error (data).
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// The whole file.
/// Throws: Error (data) when it cannot be read.
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text_file(const std::filesystem::path& path);
/// The text of a file in /proc, which has no size. "" when it cannot be read.
std::string read_proc_file(const std::filesystem::path& path);

}  // namespace mnist_dist
