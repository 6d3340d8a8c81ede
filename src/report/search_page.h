#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist {

/// A candidate of a search, as tuning.csv has it. Scores are of the validation rows, in percent.
struct SearchRow {
  std::int64_t candidate = 0, parameters = 0, rounds = 0, seeds = 0, diverged = 0;
  bool scored = false;  ///< otherwise every seed diverged, or none is trained yet
  double mean = 0, sd = 0, min = 0, loss = 0;
  double behind = 0, behind_low = 0, behind_high = 0;  ///< points behind the best one, 95 %
  bool compared = false;                               ///< otherwise these are not known
  std::string recipe, settings;
  /// "step4 with optimizer.learning_rate=0.1".
  std::string name() const;
};

/// The folder of a search, read and checked.
struct SearchRecord {
  std::filesystem::path folder;
  std::vector<SearchRow> rows;  ///< the best first. Empty: no candidate has ended
  bool finished = false;        ///< best.toml is there
  std::string data_set, data;   ///< Dataset::name and data_name. "": not known
};

/// Whether a folder holds a search of `tune`.
bool is_search(const std::filesystem::path& folder);

/// Throws Error (data) when a file is damaged.
SearchRecord read_search(const std::filesystem::path& folder);

/// The page of a search: verdict, accuracy by each number that was varied, table of all candidates,
/// with links to the pages of those that have one.
std::string search_page(const SearchRecord& search);

}  // namespace mnist_dist
