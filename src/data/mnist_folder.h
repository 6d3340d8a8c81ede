#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist {

/// The candidates in a folder for the four files of MNIST, in the order of mnist_files.
struct MnistFolder {
  /// Files with the name of one of the four, the likeliest first: the same file may lie there
  /// packed and unpacked.
  std::array<std::vector<std::filesystem::path>, 4> candidates;

  std::vector<std::string> missing() const;  ///< names without a candidate
};

/// A file's name in lower case, with dashes for dots, underscores and spaces, and without the
/// endings of archives: "T10K-labels.idx1-ubyte.gz" is "t10k-labels-idx1-ubyte".
std::string plain_name(const std::string& name);

/// Looks at names only. Accepted are the names of mnist_files in upper or lower case, with dots in
/// place of dashes, with the endings of archives, one folder per file, of that name, and
/// torchvision's folders MNIST/raw below `folder`. A folder that does not exist holds nothing.
/// Throws: Error (data) when a folder cannot be read.
MnistFolder scan_mnist_folder(const std::filesystem::path& folder);

}  // namespace mnist_dist
