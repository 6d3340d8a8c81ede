#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

namespace mnist_dist {

/// The largest payload of a set in one file, in bytes.
inline constexpr std::size_t most_payload_bytes = std::size_t{4} << 30;
/// Above deflate's largest ratio, which is 1032.
inline constexpr std::size_t most_deflation = 1100;

/// Passes the payload of a file to `take` in parts, unpacked as many times as it is gzipped, until
/// `take` returns false. Only the last part may be shorter than 64 KiB. Memory stays below 1 MB.
/// `limit` is the largest payload in bytes that makes sense: reading stops when an inner archive is
/// too large to hold it.
/// Throws: Error (data) that names the file: unreadable, not a regular file, damaged archive.
void stream_payload(const std::filesystem::path& path, std::size_t limit,
                    const std::function<bool(std::span<const std::byte>)>& take);

/// The whole payload.
/// Throws: Error (data) as stream_payload does, and for more than `limit` bytes.
std::vector<std::byte> read_payload(const std::filesystem::path& path, std::size_t limit);

}  // namespace mnist_dist
