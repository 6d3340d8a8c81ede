#include "sweep/row.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "model/spec.h"
#include "sweep/places.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t any_int = std::numeric_limits<int>::max(),
                       any_seed = std::numeric_limits<std::int64_t>::max();

/// Kinds of cells in seeds.csv.
enum class Cell {
  always,
  result,   ///< empty for a seed that diverged
  process,  ///< decided by the process that trained the seed, not by recipe and seed
};

struct Column {
  std::string name;
  Cell cell;
  int decimals = 0;                                       ///< of a real number
  double high = std::numeric_limits<double>::infinity();  ///< of a real number, from 0
  int low = 0;                                            ///< of a whole number
};

/// The one list of the columns of seeds.csv: header, writing and reading all walk it.
template <class Outcome, class Visitor>
void visit(Outcome& o, const std::string& scored, Visitor&& v) {
  using enum Cell;
  v({"seed", always}, o.seed);
  v({"status", always}, o.diverged);
  v({"final_" + scored + "_accuracy", result, 4, 100}, o.final_accuracy);
  v({"final_" + scored + "_correct", result}, o.final_correct);
  v({scored + "_images", result}, o.images);
  v({"final_" + scored + "_loss", result, 6}, o.final_loss);
  v({"raw_" + scored + "_accuracy", result, 4, 100}, o.raw_accuracy);
  v({"best_" + scored + "_accuracy", result, 4, 100}, o.best_accuracy);
  v({"best_epoch", result}, o.best_epoch);
  v({"seconds", process, 3}, o.seconds);
  v({"group", process}, o.group);
  v({.name = "ranks", .cell = process, .low = 1}, o.ranks);
  v({.name = "threads", .cell = process, .low = 1}, o.threads);
  v({"engine", process}, o.engine.name);
  v({"simd", process}, o.engine.simd);
  v({"device", process}, o.engine.device);
  v({"parameters_sha256", result}, o.parameters_sha256);
  v({"raw_parameters_sha256", result}, o.raw_parameters_sha256);
  v({"message", process}, o.message);
}

std::string text_of(const Column&, bool diverged) { return diverged ? "diverged" : "ok"; }
std::string text_of(const Column& column, double value) {
  return fmt::format("{:.{}f}", value, column.decimals);
}
template <class T>
std::string text_of(const Column&, const T& value) {
  return fmt::format("{}", value);
}

/// Reads the cells of one row of seeds.csv. The status comes before all results.
struct Reader {
  const CsvTable& csv;
  std::size_t row;
  bool diverged = false;

  template <class T>
  void operator()(const Column& column, T& value) {
    if (!diverged || column.cell != Cell::result) return read(column, value);
    if (!csv.text(row, column.name).empty())
      throw csv.wrong(row, column.name, "an empty cell, because the seed diverged");
  }

 private:
  void read(const Column& column, bool& value) {
    const std::string& status = csv.text(row, column.name);
    value = diverged = status == "diverged";
    if (!diverged && status != "ok") throw csv.wrong(row, column.name, "ok or diverged");
  }
  void read(const Column& column, std::string& value) { value = csv.text(row, column.name); }
  void read(const Column& column, double& value) {
    value =
        csv.number(row, column.name, 0, std::min(column.high, std::numeric_limits<double>::max()));
  }
  template <class T>
  void read(const Column& column, T& value) {
    value = static_cast<T>(
        csv.integer(row, column.name, column.low, sizeof(T) < 8 ? any_int : any_seed));
  }
};

enum Table : std::size_t { seeds, epochs, errors, tables };

/// The lines of each table.
using Tables = std::array<std::vector<std::string>, tables>;

/// Lines after the last table, and a line without its end, are in `rest`.
Tables split_tables(const std::string& text, std::string& rest) {
  Tables parts;
  std::size_t table = 0, from = 0;
  for (std::size_t to; table < tables && (to = text.find('\n', from)) != text.npos; from = to + 1) {
    if (to == from)
      ++table;
    else
      parts[table].push_back(text.substr(from, to - from));
  }
  rest = text.substr(from);
  return parts;
}

/// A table without some of its columns. The last column keeps its commas.
void append_without(std::string& text, const std::vector<std::string>& lines,
                    const std::vector<std::string>& left_out) {
  std::vector<bool> kept;
  for (const std::string& line : lines) {
    std::size_t from = 0, column = 0;
    const bool header = kept.empty();
    for (bool last = false; !last; ++column) {
      std::size_t to = line.find(',', from);
      last = to == line.npos || (!header && column + 1 == kept.size());
      if (last) to = line.size();
      const std::string_view cell = std::string_view(line).substr(from, to - from);
      if (header) kept.push_back(std::ranges::find(left_out, cell) == left_out.end());
      if (kept[column]) text.append(cell).push_back(',');
      from = to + 1;
    }
    text.push_back('\n');
  }
}

[[noreturn]] void refuse(const fs::path& file, std::uint64_t seed, const std::string& there,
                         const std::string& here) {
  std::istringstream a(there), b(here);
  std::string was, is;
  while (std::getline(a, was) && std::getline(b, is) && was == is) continue;
  throw Error(ExitCode::internal,
              fmt::format("{}: two results of seed {} (got \"{}\", expected \"{}\")", file.string(),
                          seed, is, was),
              "run mnist-dist verify on the sweep to see which machine computes different bits");
}

}  // namespace

std::string seeds_header(const std::string& scored) {
  std::string text;
  const SeedOutcome any;
  visit(any, scored, [&](const Column& column, const auto&) { text += column.name + ','; });
  text.back() = '\n';
  return text;
}

std::string errors_header(const std::string& scored) {
  return fmt::format("seed,{}_index,label,prediction\n", scored);
}

std::string seeds_line(const SeedOutcome& o) {
  std::string text;
  visit(o, "", [&](const Column& column, const auto& value) {
    if (!o.diverged || column.cell != Cell::result) text += text_of(column, value);
    text += ',';
  });
  text.back() = '\n';
  return text;
}

SeedOutcome parse_outcome(const CsvTable& csv, std::size_t row, const SweepIdentity& identity) {
  const std::string scored = identity.scored(), images = scored + "_images",
                    correct = "final_" + scored + "_correct";
  if (csv.text(row, "status") == "ok") {
    csv.integer(row, images, identity.images, identity.images);
    csv.integer(row, correct, 0, identity.images);
  }
  SeedOutcome o;
  visit(o, scored, Reader{csv, row});
  if (!o.diverged && !o.message.empty())
    throw csv.wrong(row, "message", "an empty cell, because the seed is ok");
  return o;
}

std::string row_text(const SeedOutcome& o, const std::string& scored) {
  std::string text = seeds_header(scored) + seeds_line(o) + '\n';
  text += metrics_header(scored);
  for (const EpochRow& row : o.epochs) text += metrics_line(row);
  return text + '\n' + errors_header(scored) + errors_lines(o);
}

std::string errors_lines(const SeedOutcome& o) {
  std::string text;
  for (const Mistake& m : o.mistakes)
    text += fmt::format("{},{},{},{}\n", o.seed, m.index, m.label, m.prediction);
  return text;
}

SeedOutcome parse_row(const std::string& text, const std::string& file,
                      const SweepIdentity& identity, RowPart part) {
  const auto damaged = [&](const std::string& why) {
    return damaged_file_error(file, why,
                              "remove it and run the sweep again, which trains its seed again");
  };
  std::string rest;
  Tables lines = split_tables(text, rest);
  if (!rest.empty() || lines[errors].empty()) throw damaged("it does not hold three tables");
  if (!lines[epochs].empty() && lines[epochs][0] + '\n' != metrics_header(identity.scored()))
    throw damaged("its epochs have different columns");
  const CsvTable table(lines[seeds], file);
  if (table.rows() != 1) throw damaged(fmt::format("it has {} rows of scores", table.rows()));
  SeedOutcome outcome = parse_outcome(table, 0, identity);
  if (part == RowPart::scores) return outcome;
  outcome.epochs = parse_metrics(CsvTable(lines[epochs], epochs_of_row(file)), identity.scored());
  const CsvTable mistakes(lines[errors], file);
  for (std::size_t row = 0; row < mistakes.rows(); ++row) {
    const auto seed = static_cast<std::int64_t>(outcome.seed);
    mistakes.integer(row, "seed", seed, seed);
    outcome.mistakes.push_back(parse_mistake(mistakes, row, identity.scored()));
  }
  return outcome;
}

Mistake parse_mistake(const CsvTable& csv, std::size_t row, const std::string& scored) {
  const auto number = [&](const std::string& column, std::int64_t high) {
    return static_cast<int>(csv.integer(row, column, 0, high));
  };
  return {number(scored + "_index", any_int), number("label", class_limit - 1),
          number("prediction", class_limit - 1)};
}

std::string result_in(const std::string& row_text) {
  std::string text, rest;
  const Tables lines = split_tables(row_text, rest);
  std::vector<std::string> of_process;
  const SeedOutcome any;
  visit(any, "", [&](const Column& column, const auto&) {
    if (column.cell == Cell::process) of_process.push_back(column.name);
  });
  append_without(text, lines[seeds], of_process);
  append_without(text, lines[epochs], {"images_per_second", "seconds"});
  append_without(text, lines[errors], {});
  return text;
}

void write_row(const fs::path& sweep, const std::string& scored, const SeedOutcome& outcome) {
  const fs::path file = row_file(sweep, outcome.seed);
  std::error_code error;
  // Not the sweep's folder, which may have been moved away.
  if (fs::is_directory(sweep / "rows", error)) make_folders(file.parent_path());
  const std::string text = row_text(outcome, scored);
  if (create_file_atomically(file, text)) return;
  const std::string there = result_in(read_text_file(file)), here = result_in(text);
  if (there != here) refuse(file, outcome.seed, there, here);
}

}  // namespace mnist_dist
