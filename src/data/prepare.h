#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/progress.h"
#include "model/spec.h"

namespace mnist_dist {

struct PrepareOptions {
  std::filesystem::path out = "data/mnist.h5";
  std::optional<std::filesystem::path> raw;     ///< folder of the IDX files (default: find_mnist)
  std::string dataset = "mnist";                ///< or one of other_set_names
  std::string name;                             ///< of a custom set
  std::optional<int> held_out;                  ///< of a custom set, see read_custom_set
  bool synthetic = false;                       ///< drawn digits instead of MNIST
  int train_count = 60000, test_count = 10000;  ///< synthetic only
  bool force = false;                           ///< overwrite a valid file
};

struct PrepareResult {
  std::filesystem::path file;
  bool kept = false;   ///< a valid file existed
  std::string source;  ///< "MNIST from FOLDER", "synthetic digits"
  bool synthetic = false;
  std::string name;  ///< Dataset::name
  int train_rows = 0, test_rows = 0;
  int side = 0, classes = 0;
  std::vector<int> train_classes, test_classes;  ///< rows of each class
  float mean = 0, sd = 0;                        ///< of the pixels, for normalisation
  std::string hash;
};

/// Finds and checks the four IDX files (or draws synthetic ones), shuffles the training rows once,
/// writes the HDF5 file atomically and verifies it by reading it back. A valid file with the
/// requested data is kept, after a check of every chunk. A damaged file, or one with other data, is
/// replaced only with `force`, and never if it is not a regular file.
/// Throws: Error (data).
PrepareResult prepare(const PrepareOptions& options, const Progress& progress);

}  // namespace mnist_dist
