#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist {

/// Makes one sweep of several: `out`, which may exist, gets the rows and the declarations of all
/// `parts`. A row that is in two of them must have the same result.
/// Throws Error: usage when recipe, data or fingerprint differ, internal when the results of a seed
/// differ, data when a file cannot be read or written. The parts' contradictions show before `out`
/// is changed.
void merge_sweeps(const std::filesystem::path& out, const std::vector<std::string>& parts,
                  const std::string& command);

}  // namespace mnist_dist
