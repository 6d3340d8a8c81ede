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

/// The data of a run, as results record it.
struct DataSource {
  std::string file = {}, hash = {};
  std::string set = {};    ///< Dataset::name
  bool synthetic = false;  ///< drawn digits: not a result on MNIST
};

/// The name of a data set in a checkpoint: that of drawn digits, too.
std::string name_in_checkpoint(const DataSource& data);

/// "MNIST" for that hash alone, otherwise "SYNTHETIC digits, not MNIST", "kmnist, not MNIST" for a
/// data file or checkpoint with that name, or "OTHER digits, not MNIST".
std::string data_name(const DataSource& data);

/// The name with the file behind it: "MNIST data/mnist.h5", "OTHER digits, not MNIST: noise.h5".
std::string data_title(const DataSource& data);

}  // namespace mnist_dist
