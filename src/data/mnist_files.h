#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "data/images.h"
#include "data/mnist_folder.h"
#include "data/progress.h"

namespace mnist_dist {

/// One of the four files that are MNIST.
struct MnistFile {
  enum Kind { images, labels } holds;
  const char* name;    ///< without .gz
  std::size_t bytes;   ///< of the unpacked payload
  const char* sha256;  ///< of the unpacked payload: archives of the same payload differ
};
inline constexpr std::array<MnistFile, 4> mnist_files = {{
    {MnistFile::images, "train-images-idx3-ubyte", 47'040'016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {MnistFile::labels, "train-labels-idx1-ubyte", 60'008,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {MnistFile::images, "t10k-images-idx3-ubyte", 7'840'016,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {MnistFile::labels, "t10k-labels-idx1-ubyte", 10'008,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}};

inline constexpr int mnist_train_rows = 60000, mnist_test_rows = 10000;

/// The four files, found by name.
struct MnistSource {
  MnistFolder files;
  std::string description;  ///< "MNIST from FOLDER"
  std::string hint;         ///< for a damaged file
};

/// Looks in `raw` if given, and only there. Otherwise in $MNIST_DATA_DIR, data/raw, and data/mnist
/// in the current folder and in share_folders() (base/share.h). The first that holds all four files
/// is taken. A folder that holds only some of them is named to `progress`.
/// Throws: Error (data) when files are missing in `raw`, $MNIST_DATA_DIR is no folder or nothing is
/// found.
MnistSource find_mnist(const std::optional<std::filesystem::path>& raw, const Progress& progress);

/// The contents of the four files.
struct Mnist {
  Images train, test;
};

/// Reads the four files. Of several candidates for one file the first is taken whose payload has
/// the SHA-256 of mnist_files. Those before it are named to `progress`. No file takes more than 1
/// MB of memory before all four are known to be whole.
/// Throws: Error (data) with the fault of the first candidate when none is whole.
Mnist read_mnist(const MnistSource& source, const Progress& progress);

}  // namespace mnist_dist
