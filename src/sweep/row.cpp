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

enum Table : std::size_t { seeds, epochs, errors, tables };

/// The lines of each table.
using Tables = std::array<std::vector<std::string>, tables>;

/// Lines after the last table, and a line without its end, are in `rest`.
Tables split(const std::string& text, std::string& rest) {
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
                    std::initializer_list<std::string_view> left_out) {
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
              "run mnist-dist verify on the sweep to see which machine computes other bits");
}

}  // namespace

std::string seeds_header(const std::string& scored) {
  return fmt::format(
      "seed,status,final_{0}_accuracy,final_{0}_correct,{0}_images,final_{0}_loss,raw_{0}_accuracy,"
      "best_{0}_accuracy,best_epoch,seconds,group,ranks,threads,engine,simd,device,"
      "parameters_sha256,raw_parameters_sha256,message\n",
      scored);
}

std::string errors_header(const std::string& scored) {
  return fmt::format("seed,{}_index,label,prediction\n", scored);
}

std::string seeds_line(const SeedOutcome& o) {
  const std::string scores =
      o.diverged
          ? ",,,,,,"
          : fmt::format("{:.4f},{},{},{:.6f},{:.4f},{:.4f},{}", o.final_accuracy, o.final_correct,
                        o.images, o.final_loss, o.raw_accuracy, o.best_accuracy, o.best_epoch);
  return fmt::format("{},{},{},{:.3f},{},{},{},{},{},{},{},{},{}\n", o.seed,
                     o.diverged ? "diverged" : "ok", scores, o.seconds, o.group, o.ranks, o.threads,
                     o.engine, o.simd, o.device, o.parameters_sha256, o.raw_parameters_sha256,
                     o.message);
}

SeedOutcome parse_outcome(const CsvTable& csv, std::size_t row, const SweepIdentity& identity) {
  const std::string scored = identity.scored(), status = csv.text(row, "status");
  const auto count = [&](const char* column, int low) {
    return static_cast<int>(csv.integer(row, column, low, any_int));
  };
  const auto percent = [&](const std::string& column) { return csv.number(row, column, 0, 100); };
  SeedOutcome o;
  o.seed = static_cast<std::uint64_t>(csv.integer(row, "seed", 0, any_seed));
  o.diverged = status == "diverged";
  if (!o.diverged && status != "ok") throw csv.wrong(row, "status", "ok or diverged");
  o.group = count("group", 0);
  o.ranks = count("ranks", 1);
  o.threads = count("threads", 1);
  o.engine = csv.text(row, "engine");
  o.simd = csv.text(row, "simd");
  o.device = csv.text(row, "device");
  o.seconds = csv.number(row, "seconds", 0, std::numeric_limits<double>::max());
  o.message = csv.text(row, "message");
  if (o.diverged) {
    for (const std::string& column :
         {"final_" + scored + "_accuracy", "final_" + scored + "_correct", scored + "_images",
          "final_" + scored + "_loss", "raw_" + scored + "_accuracy",
          "best_" + scored + "_accuracy", std::string("best_epoch"),
          std::string("parameters_sha256"), std::string("raw_parameters_sha256")})
      if (!csv.text(row, column).empty())
        throw csv.wrong(row, column, "empty as of a seed that diverged");
    return o;
  }
  if (!o.message.empty()) throw csv.wrong(row, "message", "empty as of a seed that is ok");
  o.images = csv.integer(row, scored + "_images", identity.images, identity.images);
  o.final_accuracy = percent("final_" + scored + "_accuracy");
  o.final_correct = csv.integer(row, "final_" + scored + "_correct", 0, o.images);
  o.final_loss =
      csv.number(row, "final_" + scored + "_loss", 0, std::numeric_limits<double>::max());
  o.raw_accuracy = percent("raw_" + scored + "_accuracy");
  o.best_accuracy = percent("best_" + scored + "_accuracy");
  o.best_epoch = count("best_epoch", 0);
  o.parameters_sha256 = csv.text(row, "parameters_sha256");
  o.raw_parameters_sha256 = csv.text(row, "raw_parameters_sha256");
  return o;
}

std::string row_text(const SeedOutcome& o, const std::string& scored) {
  std::string text = seeds_header(scored) + seeds_line(o) + '\n';
  for (const std::string& line : o.epochs) text += line + '\n';
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
    return data_error(fmt::format("{} is damaged: {}", file, why),
                      "remove it and run the sweep again, which trains its seed again");
  };
  std::string rest;
  Tables lines = split(text, rest);
  if (!rest.empty() || lines[errors].empty()) throw damaged("it does not hold three tables");
  const CsvTable table(lines[seeds], file);
  if (table.rows() != 1) throw damaged(fmt::format("it has {} rows of scores", table.rows()));
  SeedOutcome outcome = parse_outcome(table, 0, identity);
  if (part == RowPart::scores) return outcome;
  outcome.epochs = std::move(lines[epochs]);
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
  const Tables lines = split(row_text, rest);
  append_without(text, lines[seeds],
                 {"seconds", "group", "ranks", "threads", "engine", "simd", "device", "message"});
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
