#pragma once
#include <string>
#include <string_view>

namespace mnist_dist {

/// True for the hash (Dataset::hash) of MNIST as `prepare` writes it. The source in a file's
/// attributes is no proof.
bool is_mnist(std::string_view data_hash);

/// Whether a data set may have this name: 1 to 40 of a-z, 0-9, '.', '_' and '-', not "mnist" or
/// "synthetic".
bool is_set_name(std::string_view name);

/// The name of a data set in a checkpoint: that of drawn digits, too.
std::string name_in_checkpoint(bool synthetic, const std::string& name);

/// "MNIST" for that hash alone, otherwise "SYNTHETIC digits, not MNIST", "kmnist, not MNIST" for a
/// data file or checkpoint with that name, or "OTHER digits, not MNIST".
std::string data_name(std::string_view data_hash, bool synthetic, std::string_view name = "");

/// The name with the file behind it: "MNIST data/mnist.h5", "OTHER digits, not MNIST: noise.h5".
std::string data_title(std::string_view data_hash, bool synthetic, std::string_view name,
                       const std::string& file);

}  // namespace mnist_dist
