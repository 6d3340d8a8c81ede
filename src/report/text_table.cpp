#include "report/text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"

namespace mnist_dist {
namespace {

constexpr int gap = 2;  // blanks between columns

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// The bytes of the first `count` characters.
std::size_t bytes_of(std::string_view text, int count) {
  std::size_t at = 0;
  for (int found = 0; at < text.size(); ++at)
    if (begins_character(text[at]) && ++found > count) break;
  return at;
}

std::string padded(const std::string& cell, int width, bool left) {
  const std::string blanks(static_cast<std::size_t>(std::max(width - characters(cell), 0)), ' ');
  return left ? cell + blanks : blanks + cell;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text)
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  return lines;
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

/// One line of `text` without line ends, as `folded`.
std::string folded_line(std::string_view text, int columns, int indent) {
  if (characters(text) <= columns) return std::string(text);
  const int room = columns - indent;  // of a line after a break
  std::string out;
  int used = 0;
  const auto new_line = [&] {
    trim_end(out);
    out += '\n' + std::string(static_cast<std::size_t>(indent), ' ');
    used = indent;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::size_t next = std::min(text.find_first_not_of(' ', end), text.size());
    std::string_view word = text.substr(0, end);
    if (used + characters(word) > columns && characters(word) <= room) new_line();
    while (used + characters(word) > columns) {
      const std::size_t part = bytes_of(word, columns - used);
      out += word.substr(0, part);
      word.remove_prefix(part);
      new_line();
    }
    out += word;
    out.append(next - end, ' ');
    used += characters(word) + static_cast<int>(next - end);
    if (next < text.size() && used >= columns) new_line();
    text.remove_prefix(next);
  }
  return out;
}

}  // namespace

int characters(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, begins_character));
}

TextTable::TextTable(std::span<const TextColumn> table, int columns)
    : table_(table.begin(), table.end()), columns_(columns) {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    shown_.push_back(i);
    table_[i].width = std::max(table_[i].width, characters(table_[i].name));
  }
  if (columns <= 0) return;
  const auto narrowest = [&](std::size_t i) {
    const TextColumn& column = table_[i];
    return column.narrowest > 0 ? std::min(column.narrowest, column.width) : column.width;
  };
  const auto left = [&] {  // of the terminal, with each column at its narrowest
    int sum = columns + gap;
    for (const std::size_t i : shown_) sum -= narrowest(i) + gap;
    return sum;
  };
  while (shown_.size() > 1 && left() < 0)
    shown_.erase(
        std::ranges::min_element(shown_, {}, [&](std::size_t i) { return table_[i].importance; }));
  int spare = std::max(left(), 0);
  for (const std::size_t i : shown_) {
    const int least = narrowest(i), more = std::min(spare, table_[i].width - least);
    table_[i].width = least + more;
    spare -= more;
  }
}

std::string TextTable::row(const std::vector<std::string>& cells) const {
  std::vector<std::string> out(1);
  int begin = 0;  // column of the terminal
  for (const std::size_t i : shown_) {
    const TextColumn& column = table_[i];
    // The last cell may take the rest of the line.
    const int room = i == shown_.back() ? std::max(columns_ - begin, column.width) : column.width;
    const bool folds = columns_ > 0 && column.narrowest > 0;
    const std::vector<std::string> lines =
        folds ? lines_of(folded(printable(cells[i]), room, 0)) : std::vector{printable(cells[i])};
    for (std::size_t line = 0; line < std::max(lines.size(), out.size()); ++line) {
      if (line == out.size()) out.emplace_back(static_cast<std::size_t>(begin), ' ');
      out[line] += padded(line < lines.size() ? lines[line] : "", column.width, column.left) +
                   std::string(gap, ' ');
    }
    begin += column.width + gap;
  }
  std::string text;
  for (std::string& line : out) {
    trim_end(line);
    text += folded(line, columns_) + '\n';
  }
  return text;
}

std::string TextTable::header() const {
  std::vector<std::string> names;
  for (const TextColumn& column : table_) names.push_back(column.name);
  return row(names);
}

std::string text_table(std::vector<TextColumn> table,
                       const std::vector<std::vector<std::string>>& rows, int columns) {
  for (const auto& row : rows)
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i].width = std::max(table[i].width, characters(printable(row[i])));
  const TextTable fitted(table, columns);
  std::string text = fitted.header();
  for (const auto& row : rows) text += fitted.row(row);
  return text;
}

std::string folded(std::string_view text, int columns, int indent) {
  if (columns <= 0) return std::string(text);
  std::string out;
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += folded_line(text.substr(0, end), columns, std::min(indent, columns / 2));
    if (end == text.size()) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string wrapped_fields(const std::string& line, int columns) {
  constexpr std::string_view separator = " | ";
  std::string out, current;
  for (std::size_t from = 0; from <= line.size();) {
    const std::size_t to = std::min(line.find(separator, from), line.size());
    const std::string field = printable(line.substr(from, to - from));
    from = to + separator.size();
    if (current.empty()) {
      current = field;
    } else if (columns > 0 && characters(current + field) + 3 > columns) {
      out += current + '\n';
      current = "  " + field;
    } else {
      current += fmt::format("{}{}", separator, field);
    }
  }
  return folded(out + current + '\n', columns, 4);
}

}  // namespace mnist_dist
