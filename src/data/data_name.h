#pragma once
#include <string>
#include <string_view>

namespace mnist_dist {

/// True for the hash (Dataset::hash) of MNIST as `prepare` writes it. What a file's attributes state
/// about its source is no proof.
bool is_mnist(std::string_view data_hash);

/// "MNIST" for that hash alone, otherwise "SYNTHETIC digits, not MNIST" or "OTHER digits, not MNIST".
std::string data_name(std::string_view data_hash, bool synthetic);

/// The name with the file behind it: "MNIST data/mnist.h5", "OTHER digits, not MNIST: noise.h5".
std::string data_title(std::string_view data_hash, bool synthetic, const std::string& file);

}  // namespace mnist_dist
