#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mnist_dist {

/// A comma-separated file of ours: a header, no commas inside cells but in the last one.
class CsvTable {
 public:
  /// Throws: Error (data) when the file cannot be read, is empty, or a row has too few cells.
  explicit CsvTable(const std::filesystem::path& file);
  /// From lines, header first. `name` stands for the file in errors.
  CsvTable(const std::vector<std::string>& lines, std::string name);
  std::size_t rows() const { return cells_.size(); }
  bool has(std::string_view column) const;
  /// Throw Error (data) naming file, row and column when it is missing, no number or not from `low`
  /// to `high`.
  const std::string& text(std::size_t row, std::string_view column) const;
  double number(std::size_t row, std::string_view column) const;
  double number(std::size_t row, std::string_view column, double low, double high) const;
  std::int64_t integer(std::size_t row, std::string_view column, std::int64_t low,
                       std::int64_t high) const;
  /// An Error (data) for a cell with a wrong value.
  Error wrong(std::size_t row, std::string_view column, const std::string& wanted) const;
  const std::vector<std::string>& header() const { return header_; }

 private:
  void add(const std::string& line);
  std::size_t place(std::string_view column) const;
  std::string file_;
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> cells_;
};

/// An Error (data) for a cell with a wrong value, without a CsvTable. `row` counts from 0.
Error wrong_cell(const std::string& file, std::size_t row, std::string_view column,
                 const std::string& got, const std::string& wanted);

}  // namespace mnist_dist
