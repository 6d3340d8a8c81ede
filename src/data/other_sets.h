#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/images.h"
#include "data/progress.h"

namespace mnist_dist {

/// The sets of `prepare --dataset` besides MNIST: "fashion-mnist", ..., and "custom".
const std::vector<std::string>& other_set_names();

/// The command that makes a data file: of the named set that the file is called after, otherwise of
/// MNIST. `options` follow "prepare".
std::string prepare_command(const std::filesystem::path& file, const std::string& options = "");

/// A set of labelled images, ready to be written.
struct OtherSet {
  Images train, test;
  int classes = 0;
  std::string source;                         ///< "kmnist from FOLDER"
  std::map<std::string, std::string> sha256;  ///< of the files read, by name
};

/// Reads a named set from the files that its makers publish, gzipped or not, in `raw` or up to
/// three folders below it. EMNIST's images are turned upright, and the labels of its letters begin
/// with 0. Of QMNIST's test images those count that MNIST does not have: rows 10,000 and up.
/// Published SHA-256s of archives are compared: `progress` names the files that differ, and the
/// ones for which none is known.
/// Throws: Error (data): missing or damaged files, MNIST's own files under a different name.
OtherSet read_named_set(const std::string& name, const std::filesystem::path& raw,
                        const Progress& progress);

/// Reads any set: a CSV, .npz or HDF5 file, or a folder with one of them, with train and test files
/// in CSV, or with four IDX files. Classes and side come from the images. Where there are no test
/// images, `held_out` of the others become the test set (a seventh unless given).
/// Throws: Error (data).
OtherSet read_custom_set(const std::string& name, const std::filesystem::path& raw,
                         std::optional<int> held_out, const Progress& progress);

}  // namespace mnist_dist
