#include "data/csv_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/parse_number.h"
#include "data/file_kind.h"
#include "data/payload.h"

namespace mnist_dist {
namespace {

/// A label, and four characters per pixel of the largest image.
constexpr std::size_t longest_line = 64 * image_side_limit * image_side_limit;

/// Takes the text up to the next comma from the front of `line`, without the quotes around it.
std::string_view take_cell(std::string_view& line) {
  const std::size_t comma = line.find(',');
  std::string_view cell = line.substr(0, comma);
  line = comma == line.npos ? std::string_view() : line.substr(comma + 1);
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
    cell = cell.substr(1, cell.size() - 2);
  return cell;
}

class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& file) { set_.file = file.string(); }

  void take_line(std::string_view line) {
    ++number_;
    if (number_ == 1 && line.starts_with("\xef\xbb\xbf"))
      line.remove_prefix(3);  // a byte order mark
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    if (columns_ == 0 && read_first(line)) return;
    read_row(line);
  }

  RawSet finish() && {
    if (columns_ == 0) throw problem("no rows", "name a CSV file with one image per row");
    return std::move(set_);
  }

  Error problem(const std::string& what, const std::string& hint) const {
    return data_error(
        fmt::format("{}: line {}: {}", set_.file, std::max<std::size_t>(number_, 1), what), hint);
  }

 private:
  /// Counts the columns. True for a header line, which has a cell "label" or words in most cells.
  bool read_first(std::string_view line) {
    columns_ = 1 + static_cast<std::size_t>(std::ranges::count(line, ','));
    std::size_t named = columns_, words = 0;
    if (columns_ == 1 && line.find_first_of(";\t") != line.npos)
      throw problem("no comma", "separate the cells by commas instead of semicolons or tabs");
    for (std::size_t column = 0; column < columns_; ++column) {
      std::string name(take_cell(line));
      if (!name.empty() && !parse_number<double>(name)) ++words;
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (name == "label" && named == columns_) named = column;
    }
    const bool header = named != columns_ || 2 * words > columns_;
    if (header && named == columns_)
      throw problem("the header has no column \"label\"",
                    "add the labels as a column \"label\", or leave the file out");
    label_column_ = header ? named : 0;
    const std::size_t pixels = columns_ - 1;
    const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(pixels))));
    if (side == 0 || side * side != pixels)
      throw problem(fmt::format("not a square image (got {} pixels)", pixels),
                    "give one row per image: its label, then the pixels of a square image");
    check_image_shape(set_.file, side, side);
    set_.height = set_.width = static_cast<int>(side);
    return header;
  }

  void read_row(std::string_view line) {
    const std::size_t found = 1 + static_cast<std::size_t>(std::ranges::count(line, ','));
    if (found != columns_)
      throw problem(fmt::format("{} cells (expected {})", found, columns_),
                    "replace the file with a whole copy");
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::string_view cell = take_cell(line);
      const auto value = parse_number<std::int64_t>(cell);
      const bool label = column == label_column_;
      if (!value || (!label && (*value < 0 || *value > 255)))
        throw problem(fmt::format("{} \"{}\" (expected {})", label ? "label" : "pixel",
                                  cell.substr(0, 20), label ? "a whole number" : "0 to 255"),
                      label ? "number the classes 0, 1, 2, ... in the file"
                            : "give pixels as whole numbers from 0 to 255");
      if (label)
        set_.labels.push_back(*value);
      else
        set_.pixels.push_back(static_cast<std::uint8_t>(*value));
    }
    ++set_.rows;
  }

  RawSet set_;
  std::size_t number_ = 0, columns_ = 0, label_column_ = 0;
};

}  // namespace

RawSet read_csv_set(const std::filesystem::path& file) {
  CsvReader reader(file);
  std::string rest;
  bool first = true;
  stream_payload(file, most_payload_bytes, [&](std::span<const std::byte> part) {
    const std::string kind = first ? file_kind(part) : "";
    std::string_view text(reinterpret_cast<const char*>(part.data()), part.size());
    if (std::exchange(first, false) && text.find('\0') != text.npos)
      throw reader.problem(fmt::format("not a CSV file (got {})", kind),
                           "name a CSV file with one image per row");
    for (std::size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
      rest += text.substr(0, end);
      reader.take_line(rest);
      rest.clear();
    }
    rest += text;
    if (rest.size() > longest_line)
      throw reader.problem("too long for an image", "name a CSV file with one image per row");
    return true;
  });
  if (!rest.empty()) reader.take_line(rest);
  return std::move(reader).finish();
}

}  // namespace mnist_dist
