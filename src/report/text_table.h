#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist {

/// How many characters (UTF-8) `text` has.
int characters(std::string_view text);

/// A column of a table for the terminal.
struct TextColumn {
  std::string name = {};
  int width = 0;       ///< at least. A longer cell pushes the rest of its row
  bool left = false;   ///< aligned to the left
  int importance = 0;  ///< where not all columns fit, those with the lowest number are left out
  int narrowest = 0;   ///< before columns are left out, this one is narrowed to it, and its cells
                       ///< continue below themselves. 0: never narrower than `width`
};

/// A table that fits into the terminal: two blanks between columns, lines without blanks at their
/// ends and with a line end.
class TextTable {
 public:
  /// `columns` of the terminal. 0: all columns at their width.
  TextTable(std::span<const TextColumn> table, int columns);
  std::string header() const;
  /// One cell per column of the whole table.
  std::string row(const std::vector<std::string>& cells) const;

 private:
  std::vector<TextColumn> table_;
  std::vector<std::size_t> shown_;
  int columns_;
};

/// A whole table: each column is as wide as its longest cell.
std::string text_table(std::vector<TextColumn> table,
                       const std::vector<std::vector<std::string>>& rows, int columns);

/// Lines of more than `columns` characters (0: none is) broken at blanks, and words that fill more
/// than a line broken anywhere. Lines after a break begin with `indent` blanks.
std::string folded(std::string_view text, int columns, int indent = 2);

/// Fields of a line, separated by " | ", over several lines of at most `columns` (0: one line),
/// each with a line end.
std::string wrapped_fields(const std::string& line, int columns);

}  // namespace mnist_dist
