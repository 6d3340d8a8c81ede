#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "sweep/search_row.h"

namespace mnist_dist {

/// The folder of a search, read and checked.
struct SearchRecord {
  std::filesystem::path folder;
  std::vector<SearchRow> rows;  ///< the best first. Empty: no candidate has ended
  bool finished = false;        ///< best.toml is there
  std::string data_set, data;   ///< Dataset::name and data_name. "": not known
};

/// Whether a folder holds a search of `tune`.
bool is_search(const std::filesystem::path& folder);

/// Throws: Error (data) when a file is damaged.
SearchRecord read_search(const std::filesystem::path& folder);

/// The page of a search: verdict, accuracy by each number that was varied, table of all candidates,
/// with links to the pages of those that have one.
std::string search_page(const SearchRecord& search);

}  // namespace mnist_dist
