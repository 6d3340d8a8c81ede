#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist {

/// Makes one sweep of several: `out`, which may exist, gets the rows and the declarations of all
/// `parts`. A row that is in two of them must have the same result.
/// Throws: Error: usage when recipe, data, fingerprint or target differ, when there are too many
/// seeds, or when `out` is one of the parts or lies inside one, internal when the results of a seed
/// differ, data when a file cannot be read or written. All but the last are thrown before `out` is
/// changed.
void merge_sweeps(const std::filesystem::path& out, const std::vector<std::string>& parts,
                  const std::string& command);

}  // namespace mnist_dist
