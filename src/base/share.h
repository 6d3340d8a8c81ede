#pragma once
#include <filesystem>
#include <vector>

namespace mnist_dist {

/// Folders that may hold the program's data: recipes (`configs/`) and MNIST (`data/mnist/`). In
/// this order: `share/mnist-dist` in the program's own folder (a build folder: a link to the source
/// tree), `share/mnist-dist` beside the program's own folder (an installed program). No path of the
/// machine that built the program is in this list, so an installed program never reads a source
/// tree.
std::vector<std::filesystem::path> share_folders();

/// The first `FOLDER/file` that exists in `share_folders()`. An empty path if there is none.
std::filesystem::path find_shared(const std::filesystem::path& file);

}  // namespace mnist_dist
