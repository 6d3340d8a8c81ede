#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mnist_dist {

/// A candidate of a search, as tuning.csv has it. Scores are of the validation rows, in percent.
struct SearchRow {
  std::int64_t candidate = 0, parameters = 0, rounds = 0, seeds = 0, diverged = 0;
  /// Empty: every seed diverged, or none is trained yet.
  std::optional<double> mean, sd, min, loss;
  /// Points behind the best candidate, and losses above its own, with 95 % intervals. Empty: not
  /// known.
  std::optional<double> behind, behind_low, behind_high;
  std::optional<double> loss_behind, loss_behind_low, loss_behind_high;
  std::optional<double> seconds;  ///< sum of its seeds' times
  std::string recipe, settings;
  /// "step4 with optimizer.learning_rate=0.1".
  std::string name() const;
};

/// The folder of a candidate, in that of its search.
std::string candidate_folder(std::int64_t candidate);

/// tuning.csv: one row per candidate, best first, losers included.
std::string search_table(const std::vector<SearchRow>& rows);

/// Reads it. Columns that an earlier version did not have are empty.
/// Throws: Error (data) naming file and row.
std::vector<SearchRow> read_search_table(const std::filesystem::path& file);

}  // namespace mnist_dist
