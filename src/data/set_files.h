#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mnist_dist {

/// The regular files in `raw` and up to three folders below it whose names `matches`, in the
/// spelling of plain_name.
/// Throws: Error (data) when `raw` is no folder or cannot be read.
std::vector<std::filesystem::path> find_set_files(
    const std::filesystem::path& raw, const std::function<bool(const std::string&)>& matches);

/// The one of `files`, which are forms of one file.
/// Throws: Error (data), with `what` as missing, where there is none or they lie in several
/// folders.
std::filesystem::path only_file(const std::vector<std::filesystem::path>& files,
                                const std::filesystem::path& raw, const std::string& what);

/// SHA-256 of a file as it is, hexadecimal.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace mnist_dist
