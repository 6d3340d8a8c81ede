#pragma once
#include <filesystem>
#include <string>

#include "base/csv.h"
#include "sweep/record.h"

namespace mnist_dist {

// A seed's row file, rows/0xxx/seedN.csv: three tables with one header each and an empty line
// between them. The first has one line, and with the others' lines it goes into seeds.csv,
// epochs.csv and errors.csv. A row file is written once and never changed.

/// The tables' headers. `scored`: "test" or "validation".
std::string seeds_header(const std::string& scored);
std::string errors_header(const std::string& scored);
/// A seed's lines in seeds.csv and errors.csv.
std::string seeds_line(const SeedOutcome& outcome);
std::string errors_lines(const SeedOutcome& outcome);

std::string row_text(const SeedOutcome& outcome, const std::string& scored);

/// Names for the epochs in a row file and in epochs.csv, for errors.
inline std::string epochs_of_row(const std::string& file) { return file + ", epochs"; }
inline std::string epochs_of_table(const std::filesystem::path& file, std::uint64_t seed) {
  return file.string() + ", seed " + std::to_string(seed);
}

enum class RowPart { scores, all };
/// Reads a row file's text. `file` stands for it in errors. With RowPart::scores the epochs and the
/// mistakes stay empty.
/// Throws: Error (data) when it is damaged.
SeedOutcome parse_row(const std::string& text, const std::string& file,
                      const SweepIdentity& identity, RowPart part);

/// One row of seeds.csv.
/// Throws: Error (data) for results that no run can have.
SeedOutcome parse_outcome(const CsvTable& seeds, std::size_t row, const SweepIdentity& identity);
Mistake parse_mistake(const CsvTable& errors, std::size_t row, const std::string& scored);

/// Writes a seed's row file, whole or not at all. If there is one, it must have the same result.
/// Throws: Error: internal when the results differ, data when it cannot be written.
void write_row(const std::filesystem::path& sweep, const std::string& scored,
               const SeedOutcome& outcome);

}  // namespace mnist_dist
