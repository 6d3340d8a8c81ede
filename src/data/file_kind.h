#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace mnist_dist {

/// Names a file that is no IDX file by its first bytes, for messages: "a zip archive", "a web
/// page". `head` should hold the first 512 bytes of the file or more. The last resort are the
/// bytes.
std::string file_kind(std::span<const std::byte> head);

}  // namespace mnist_dist
