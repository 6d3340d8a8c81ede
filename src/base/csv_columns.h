#pragma once
#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <limits>
#include <optional>

#include "base/csv.h"

namespace mnist_dist {

// A table's columns are listed once, in a function that calls a visitor with each column and its
// member of a row. Header, writing and reading are visitors.

struct CsvColumn {
  std::string_view name;
  const char* format = "{}";                                  ///< fmt's
  double low = 0, high = std::numeric_limits<double>::max();  ///< of a number
};

/// For `low`: a real number of any value.
constexpr double any_value = -std::numeric_limits<double>::infinity();

/// Appends the names, each with a comma.
struct CsvHeader {
  std::string& text;
  template <class T>
  void operator()(const CsvColumn& column, const T&) const {
    text.append(column.name).push_back(',');
  }
};

/// Appends the cells, each with a comma.
struct CsvLine {
  std::string& text;
  template <class T>
  void operator()(const CsvColumn& column, const T& value) const {
    fmt::format_to(std::back_inserter(text), fmt::runtime(column.format), value);
    text.push_back(',');
  }
  template <class T>
  void operator()(const CsvColumn& column, const std::optional<T>& value) const {
    if (value) return (*this)(column, *value);
    text.push_back(',');
  }
};

/// Fills the members from the cells of a row.
/// Throws: Error (data).
struct CsvReader {
  const CsvTable& table;
  std::size_t row;
  void operator()(const CsvColumn& column, std::string& value) const {
    value = table.text(row, column.name);
  }
  void operator()(const CsvColumn& column, double& value) const {
    value = column.low == any_value ? table.number(row, column.name)
                                    : table.number(row, column.name, column.low, column.high);
  }
  template <std::integral T>
  void operator()(const CsvColumn& column, T& value) const {
    // Numbers of seeds and images have 63 bits in files.
    constexpr std::int64_t most =
        sizeof(T) < 8 ? std::numeric_limits<int>::max() : std::numeric_limits<std::int64_t>::max();
    const bool lower = column.high < static_cast<double>(most);
    value = static_cast<T>(table.integer(row, column.name, static_cast<std::int64_t>(column.low),
                                         lower ? static_cast<std::int64_t>(column.high) : most));
  }
  template <class T>
  void operator()(const CsvColumn& column, std::optional<T>& value) const {
    if (!table.text(row, column.name).empty()) (*this)(column, value.emplace());
  }
};

}  // namespace mnist_dist
