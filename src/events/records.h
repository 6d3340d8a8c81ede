#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist {

// The framing of TensorFlow's record files: length (8 bytes, little-endian), masked CRC-32C of the
// length, the bytes, masked CRC-32C of the bytes.

/// One record as it stands in a file.
std::string framed(std::string_view bytes);

/// The whole records at the beginning of `file`, without an incomplete one of a killed process and
/// bytes behind it.
std::vector<std::string> whole_records(std::string_view file);

}  // namespace mnist_dist
