#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace mnist_dist {

/// Writes `bytes` so that `path` afterwards holds either all of them or what it held before: temporary file beside it, fsync, rename, fsync of
/// the folder. Of a symbolic link it is the target that is written. Creates missing parent folders. Throws Error (data) naming the path and the
/// reason (no space left, permission denied, ...); the temporary file is gone then.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Renames within a folder, in the place of what `to` was, and fsyncs the folder. Throws Error (data).
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// The whole file. Throws Error (data) when it cannot be read.
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text_file(const std::filesystem::path& path);

}  // namespace mnist_dist
