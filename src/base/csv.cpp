#include "base/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/parse_number.h"

namespace mnist_dist {
namespace {

/// At most `most` cells: the last one keeps its commas. 0: as many as there are.
std::vector<std::string> split(const std::string& line, std::size_t most) {
  std::vector<std::string> cells;
  for (std::size_t from = 0;;) {
    const std::size_t to = cells.size() + 1 == most ? line.npos : line.find(',', from);
    cells.push_back(line.substr(from, to - from));
    if (to == line.npos) return cells;
    from = to + 1;
  }
}

}  // namespace

CsvTable::CsvTable(const std::filesystem::path& file) : file_(file.string()) {
  std::istringstream text(read_text_file(file));
  for (std::string line; std::getline(text, line);) add(line);
  if (header_.empty()) throw changed_file_error(file_, "it has no header");
}

CsvTable::CsvTable(const std::vector<std::string>& lines, std::string name)
    : file_(std::move(name)) {
  for (const std::string& line : lines) add(line);
}

void CsvTable::add(const std::string& line) {
  if (header_.empty()) {
    header_ = split(line, 0);
    return;
  }
  cells_.push_back(split(line, header_.size()));
  if (cells_.back().size() != header_.size())
    throw changed_file_error(
        file_, fmt::format("row {}: wrong number of cells (got {}, expected {})", cells_.size(),
                           cells_.back().size(), header_.size()));
}

bool CsvTable::has(std::string_view column) const {
  return std::find(header_.begin(), header_.end(), column) != header_.end();
}

std::size_t CsvTable::place(std::string_view column) const {
  const auto found = std::find(header_.begin(), header_.end(), column);
  if (found == header_.end())
    throw changed_file_error(file_, fmt::format("there is no column {}", column));
  return static_cast<std::size_t>(found - header_.begin());
}

const std::string& CsvTable::text(std::size_t row, std::string_view column) const {
  return cells_.at(row)[place(column)];
}

double CsvTable::number(std::size_t row, std::string_view column) const {
  const auto value = parse_number<double>(text(row, column));
  if (!value) throw wrong(row, column, "a number");
  return *value;
}

double CsvTable::number(std::size_t row, std::string_view column, double low, double high) const {
  const double value = number(row, column);
  if (!(value >= low && value <= high))
    throw wrong(row, column, fmt::format("{} to {}", low, high));
  return value;
}

std::int64_t CsvTable::integer(std::size_t row, std::string_view column, std::int64_t low,
                               std::int64_t high) const {
  const auto value = parse_number<std::int64_t>(text(row, column));
  if (!value) throw wrong(row, column, "a whole number");
  if (*value < low || *value > high)
    throw wrong(row, column,
                low == high ? fmt::to_string(low) : fmt::format("{} to {}", low, high));
  return *value;
}

Error CsvTable::wrong(std::size_t row, std::string_view column, const std::string& wanted) const {
  return wrong_cell(file_, row, column, text(row, column), wanted);
}

Error wrong_cell(const std::string& file, std::size_t row, std::string_view column,
                 const std::string& got, const std::string& wanted) {
  return changed_file_error(file, fmt::format("row {}: {}: wrong value (got \"{}\", expected {})",
                                              row + 1, column, got, wanted));
}

}  // namespace mnist_dist
