#pragma once
#include <span>
#include <string>
#include <vector>

namespace mnist_dist {

/// A column of a table for the terminal.
struct TextColumn {
  std::string name;
  int width = 0;       ///< at least. A longer cell pushes the rest of its row
  bool left = false;   ///< aligned to the left
  int importance = 0;  ///< where not all columns fit, those with the lowest number are left out
};

/// The columns, by index, that fit side by side with two blanks between them. `columns`: of the
/// terminal. 0: all fit. The most important one always stays.
std::vector<std::size_t> fitting_columns(std::span<const TextColumn> table, int columns);

/// Fields of a line, separated by " | ", over several lines of at most `columns` (0: one line),
/// each with a line end. A field that is longer stays whole.
std::string wrapped_fields(const std::string& line, int columns);

/// One row of the columns `shown`, without blanks at its end and with a line end.
std::string table_row(std::span<const TextColumn> table, std::span<const std::size_t> shown,
                      const std::vector<std::string>& cells);
/// Their names as a row.
std::string table_header(std::span<const TextColumn> table, std::span<const std::size_t> shown);

}  // namespace mnist_dist
