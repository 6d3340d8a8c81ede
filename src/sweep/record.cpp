#include "sweep/record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "sweep/places.h"
#include "sweep/record_check.h"
#include "sweep/row.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t any_seed = std::numeric_limits<std::int64_t>::max();

std::uint64_t seed_in(const CsvTable& csv, std::size_t row) {
  return static_cast<std::uint64_t>(csv.integer(row, "seed", 0, any_seed));
}

/// Seed -> its place among the outcomes.
std::map<std::uint64_t, std::size_t> places(const std::vector<SeedOutcome>& outcomes) {
  std::map<std::uint64_t, std::size_t> places;
  for (std::size_t i = 0; i < outcomes.size(); ++i) places[outcomes[i].seed] = i;
  return places;
}

std::optional<std::uint64_t> seed_that_is_twice(const std::vector<SeedOutcome>& outcomes) {
  std::set<std::uint64_t> seen;
  for (const SeedOutcome& outcome : outcomes)
    if (!seen.insert(outcome.seed).second) return outcome.seed;
  return std::nullopt;
}

void read_epochs(const fs::path& file, const std::string& scored,
                 std::vector<SeedOutcome>& outcomes) {
  const CsvTable csv(file);
  const std::vector<std::string> columns(csv.header().begin() + 1, csv.header().end());
  const auto place = places(outcomes);
  std::vector<std::vector<std::string>> lines(outcomes.size(),
                                              {fmt::format("{}", fmt::join(columns, ","))});
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const auto found = place.find(seed_in(csv, row));
    if (found == place.end()) continue;  // of a seed whose own row was not written any more
    std::vector<std::string> cells;
    for (const std::string& column : columns) cells.push_back(csv.text(row, column));
    lines[found->second].push_back(fmt::format("{}", fmt::join(cells, ",")));
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto own = std::move(lines[i]);
    outcomes[i].epochs =
        parse_metrics(CsvTable(own, epochs_of_table(file, outcomes[i].seed)), scored);
  }
}

void read_errors(const fs::path& file, const std::string& scored,
                 std::vector<SeedOutcome>& outcomes) {
  const CsvTable csv(file);
  const auto place = places(outcomes);
  for (std::size_t row = 0; row < csv.rows(); ++row)
    if (const auto found = place.find(seed_in(csv, row)); found != place.end())
      outcomes[found->second].mistakes.push_back(parse_mistake(csv, row, scored));
}

void read_seeds(const fs::path& folder, SweepRecord& record) {
  if (!fs::exists(folder / "seeds.csv")) return;
  const CsvTable seeds(folder / "seeds.csv");
  for (std::size_t row = 0; row < seeds.rows(); ++row)
    record.outcomes.push_back(parse_outcome(seeds, row, record.identity));
  // Counted twice it would stand for a seed that is missing.
  if (const auto twice = seed_that_is_twice(record.outcomes))
    throw data_error(
        fmt::format("{}: seed {} appears twice", (folder / "seeds.csv").string(), *twice),
        "delete one of its rows");
}

void read_tables(const fs::path& folder, SweepRecord& record) {
  read_seeds(folder, record);
  // Only seeds.csv decides which seeds are done. The other two have details.
  const std::string scored = record.identity.scored();
  if (fs::exists(folder / "epochs.csv"))
    read_epochs(folder / "epochs.csv", scored, record.outcomes);
  if (fs::exists(folder / "errors.csv"))
    read_errors(folder / "errors.csv", scored, record.outcomes);
}

SweepRecord without_outcomes(const fs::path& folder) {
  SweepRecord record;
  record.identity = read_identity(folder);
  record.recipe_text = read_text_file(folder / "config.toml");
  record.has_rows = fs::exists(folder / "rows");
  return record;
}

void read_rows(const fs::path& folder, SweepRecord& record) {
  for (const std::uint64_t block : blocks_with_rows(folder))
    for (const std::uint64_t seed : rows_in(folder, block)) {
      const fs::path file = row_file(folder, seed);
      record.outcomes.push_back(
          parse_row(read_text_file(file), file.string(), record.identity, RowPart::all));
      if (record.outcomes.back().seed != seed)
        throw damaged_file_error(
            file.string(), fmt::format("it is the row of seed {}", record.outcomes.back().seed));
    }
}

std::string epochs_lines(const SeedOutcome& outcome) {
  std::string text;
  for (const EpochRow& row : outcome.epochs)
    text += fmt::format("{},{}", outcome.seed, metrics_line(row));
  return text;
}

/// "" where a trained seed's epochs are not known: a published sweep may be without epochs.csv.
std::string epochs_header(const SweepRecord& record) {
  const bool unknown = std::ranges::any_of(record.outcomes, [](const SeedOutcome& outcome) {
    return !outcome.diverged && outcome.epochs.empty();
  });
  return unknown ? "" : "seed," + metrics_header(record.identity.scored());
}

bool write_table(const fs::path& file, const std::string& header, const SweepRecord& record,
                 std::string (*lines)(const SeedOutcome&), const FolderLock& lock) {
  AtomicFile table(file);
  table.write(header);
  for (const SeedOutcome& outcome : record.outcomes) table.write(lines(outcome));
  if (!lock.in_place()) return false;
  table.put_in_place();
  return true;
}

}  // namespace

SweepRecord read_record(const fs::path& folder) {
  SweepRecord record = without_outcomes(folder);
  if (record.has_rows)
    read_rows(folder, record);
  else
    read_tables(folder, record);
  // Another start may have added seeds after the first look at sweep.json.
  if (!undeclared_seeds(record).empty()) record.identity = read_identity(folder);
  check_record(folder, record);
  return record;
}

SweepRecord read_seeds_table(const fs::path& folder) {
  SweepRecord record = without_outcomes(folder);
  read_seeds(folder, record);
  return record;
}

void check_tables(const fs::path& folder) {
  if (!fs::exists(folder / "rows") || count_rows(folder) > many_rows) return;
  SweepRecord tables = without_outcomes(folder);
  tables.has_rows = false;
  read_tables(folder, tables);
  check_record(folder, tables);
  for (const SeedOutcome& outcome : tables.outcomes) {
    const fs::path row = row_file(folder, outcome.seed);
    if (!fs::exists(row) || row_text(outcome, tables.identity.scored()) != read_text_file(row))
      throw data_error(fmt::format("{}: seed {} is not as in {}", (folder / "seeds.csv").string(),
                                   outcome.seed, row.string()),
                       "put the files back as they were, or remove the tables (*.csv)");
  }
}

bool write_tables(const fs::path& folder, const SweepRecord& record, const FolderLock& lock) {
  const std::string scored = record.identity.scored();
  const std::string epochs = epochs_header(record);
  return (epochs.empty() ||
          write_table(folder / "epochs.csv", epochs, record, epochs_lines, lock)) &&
         write_table(folder / "errors.csv", errors_header(scored), record, errors_lines, lock) &&
         write_table(folder / "seeds.csv", seeds_header(scored), record, seeds_line, lock);
}

}  // namespace mnist_dist
