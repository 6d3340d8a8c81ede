#include "report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/printable.h"

namespace mnist_dist {

std::vector<std::size_t> fitting_columns(std::span<const TextColumn> table, int columns) {
  std::vector<std::size_t> shown(table.size());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = i;
  const auto width = [&] {
    int sum = -2;
    for (const std::size_t i : shown) sum += table[i].width + 2;
    return sum;
  };
  while (columns > 0 && shown.size() > 1 && width() > columns)
    shown.erase(
        std::ranges::min_element(shown, {}, [&](std::size_t i) { return table[i].importance; }));
  return shown;
}

std::string wrapped_fields(const std::string& line, int columns) {
  constexpr std::string_view separator = " | ";
  std::string out, current;
  for (std::size_t from = 0; from <= line.size();) {
    const std::size_t to = std::min(line.find(separator, from), line.size());
    const std::string field = printable(line.substr(from, to - from));
    from = to + separator.size();
    const std::size_t longer = current.size() + separator.size() + field.size();
    if (current.empty()) {
      current = field;
    } else if (columns > 0 && longer > static_cast<std::size_t>(columns)) {
      out += current + '\n';
      current = "  " + field;
    } else {
      current += fmt::format("{}{}", separator, field);
    }
  }
  return out + current + '\n';
}

std::string table_row(std::span<const TextColumn> table, std::span<const std::size_t> shown,
                      const std::vector<std::string>& cells) {
  std::string line;
  for (const std::size_t i : shown) {
    const std::string cell = printable(cells[i]);
    line += table[i].left ? fmt::format("{:<{}}  ", cell, table[i].width)
                          : fmt::format("{:>{}}  ", cell, table[i].width);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string table_header(std::span<const TextColumn> table, std::span<const std::size_t> shown) {
  std::vector<std::string> names;
  for (const TextColumn& column : table) names.push_back(column.name);
  return table_row(table, shown, names);
}

}  // namespace mnist_dist
