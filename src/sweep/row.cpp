#include "sweep/row.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/csv_columns.h"
#include "base/error.h"
#include "base/file.h"
#include "model/spec.h"
#include "sweep/places.h"
#include "train/agreement.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Kinds of cells in seeds.csv.
enum class Cell {
  always,
  result,   ///< empty for a seed that diverged
  process,  ///< decided by the process that trained the seed, not by recipe and seed
};

/// The one list of the columns of seeds.csv: header, writing and reading all walk it.
template <class Outcome, class Visitor>
void visit(Outcome& o, const std::string& scored, Visitor&& v) {
  using enum Cell;
  v(always, {"seed"}, o.seed);
  v(always, {"status"}, o.diverged);
  v(result, {"final_" + scored + "_accuracy", "{:.4f}", 0, 100}, o.final_accuracy);
  v(result, {"final_" + scored + "_correct"}, o.final_correct);
  v(result, {scored + "_images"}, o.images);
  v(result, {"final_" + scored + "_loss", "{:.6f}"}, o.final_loss);
  v(result, {"raw_" + scored + "_accuracy", "{:.4f}", 0, 100}, o.raw_accuracy);
  v(result, {"best_" + scored + "_accuracy", "{:.4f}", 0, 100}, o.best_accuracy);
  v(result, {"best_epoch"}, o.best_epoch);
  v(process, {"seconds", "{:.3f}"}, o.seconds);
  v(process, {"group"}, o.group);
  v(process, {.name = "ranks", .low = 1}, o.ranks);
  v(process, {.name = "threads", .low = 1}, o.threads);
  v(process, {"engine"}, o.engine.name);
  v(process, {"simd"}, o.engine.simd);
  v(process, {"device"}, o.engine.device);
  v(result, {"parameters_sha256"}, o.parameters_sha256);
  v(result, {"raw_parameters_sha256"}, o.raw_parameters_sha256);
  v(process, {"message"}, o.message);
}

/// The one list of the columns of errors.csv but the first, the seed.
template <class Row, class Visitor>
void visit_mistake(Row&& mistake, const std::string& scored, const Visitor& v) {
  v({scored + "_index"}, mistake.index);
  v({.name = "label", .high = class_limit - 1}, mistake.label);
  v({.name = "prediction", .high = class_limit - 1}, mistake.prediction);
}

/// The status as a word.
const char* as_cell(bool diverged) { return diverged ? "diverged" : "ok"; }
template <class T>
const T& as_cell(const T& value) {
  return value;
}

/// Reads the cells of one row of seeds.csv. The status comes before all results.
struct Reader {
  CsvReader cells;
  bool diverged = false;

  template <class T>
  void operator()(Cell cell, const CsvColumn& column, T& value) {
    if (!diverged || cell != Cell::result) return read(column, value);
    if (!text(column).empty())
      throw cells.table.wrong(cells.row, column.name, "an empty cell, because the seed diverged");
  }

 private:
  const std::string& text(const CsvColumn& column) const {
    return cells.table.text(cells.row, column.name);
  }
  void read(const CsvColumn& column, bool& value) {
    value = diverged = text(column) == "diverged";
    if (!diverged && text(column) != "ok")
      throw cells.table.wrong(cells.row, column.name, "ok or diverged");
  }
  template <class T>
  void read(const CsvColumn& column, T& value) {
    cells(column, value);
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

/// A row file's text without the columns that depend on the process that trained the seed: times,
/// ranks, machine, and the message of a seed that diverged, which names a rank.
std::string result_in(const std::string& row_text) {
  std::string text, rest;
  const Tables lines = split_tables(row_text, rest);
  std::vector<std::string> of_process;
  const SeedOutcome any;
  visit(any, "", [&](Cell cell, const CsvColumn& column, const auto&) {
    if (cell == Cell::process) of_process.emplace_back(column.name);
  });
  append_without(text, lines[seeds], of_process);
  append_without(text, lines[epochs], {"images_per_second", "seconds"});
  append_without(text, lines[errors], {});
  return text;
}

[[noreturn]] void reject(const fs::path& file, std::uint64_t seed, const std::string& there,
                         const std::string& here) {
  const auto [was, is] = first_difference(there, here);
  throw Error(ExitCode::internal,
              fmt::format("{}: two results of seed {} (got \"{}\", expected \"{}\")", file.string(),
                          seed, is, was),
              "run mnist-dist verify on the sweep to see which machine computes different bits");
}

}  // namespace

std::string seeds_header(const std::string& scored) {
  std::string text;
  const SeedOutcome any;
  const CsvHeader names{text};
  visit(any, scored,
        [&](Cell, const CsvColumn& column, const auto& value) { names(column, value); });
  text.back() = '\n';
  return text;
}

std::string errors_header(const std::string& scored) {
  std::string text = "seed,";
  visit_mistake(Mistake{}, scored, CsvHeader{text});
  text.back() = '\n';
  return text;
}

std::string seeds_line(const SeedOutcome& o) {
  std::string text;
  const CsvLine line{text};
  visit(o, "", [&](Cell cell, const CsvColumn& column, const auto& value) {
    if (o.diverged && cell == Cell::result)
      text += ',';
    else
      line(column, as_cell(value));
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
  visit(o, scored, Reader{{csv, row}});
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
  for (const Mistake& mistake : o.mistakes) {
    text += fmt::format("{},", o.seed);
    visit_mistake(mistake, "", CsvLine{text});
    text.back() = '\n';
  }
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
  Mistake mistake;
  visit_mistake(mistake, scored, CsvReader{csv, row});
  return mistake;
}

void write_row(const fs::path& sweep, const std::string& scored, const SeedOutcome& outcome) {
  const fs::path file = row_file(sweep, outcome.seed);
  std::error_code error;
  // Not the sweep's folder, which may have been moved away.
  if (fs::is_directory(sweep / "rows", error)) make_folders(file.parent_path());
  const std::string text = row_text(outcome, scored);
  if (create_file_atomically(file, text)) return;
  const std::string there = result_in(read_text_file(file)), here = result_in(text);
  if (there != here) reject(file, outcome.seed, there, here);
}

}  // namespace mnist_dist
