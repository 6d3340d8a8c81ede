#include "sweep/record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "base/file.h"
#include "sweep/csv.h"
#include "sweep/places.h"
#include "sweep/record_check.h"
#include "sweep/row.h"
#include "sweep/seeds.h"
#include "sweep/statistics.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Error damaged(const fs::path& file, const std::string& why) {
  return data_error(fmt::format("{} is damaged: {}", file.string(), why),
                    "put the file back as it was, or begin in another folder");
}

constexpr std::int64_t any_int = std::numeric_limits<int>::max();
constexpr std::int64_t any_seed = std::numeric_limits<std::int64_t>::max();

std::int64_t whole(const Json& json, const char* key, std::int64_t low) {
  const Json& value = json.at(key);
  if (!value.is_number_integer() || value < low || value > any_int)
    throw std::runtime_error(
        fmt::format("{} is {}, not {} to {}", key, value.dump(), low, any_int));
  return value.get<std::int64_t>();
}

std::uint64_t seed_in(const CsvTable& csv, std::size_t row) {
  return static_cast<std::uint64_t>(csv.integer(row, "seed", 0, any_seed));
}

SweepIdentity parse_identity(const fs::path& file) {
  const std::string text = read_text_file(file);
  try {
    const Json json = Json::parse(text);
    SweepIdentity i;
    json.at("recipe").get_to(i.recipe);
    i.recipe_sha256 = json.value("recipe_sha256", "");
    i.parameter_count = static_cast<std::size_t>(whole(json, "parameter_count", 0));
    i.epochs = static_cast<int>(whole(json, "epochs", 0));
    json.at("data_file").get_to(i.data_file);
    json.at("data_hash").get_to(i.data_hash);
    i.data_set = json.value("data_set", "");
    json.at("synthetic").get_to(i.synthetic);
    const auto scored = json.at("scored").get<std::string>();
    i.validation = scored == "validation";
    if (scored != i.scored())
      throw std::runtime_error(fmt::format("scored is \"{}\", not test or validation", scored));
    i.images = whole(json, "images", 1);
    json.at("fingerprint").get_to(i.fingerprint);
    json.at("engine").get_to(i.engine);
    json.at("simd").get_to(i.simd);
    json.at("device").get_to(i.device);
    json.at("versions").get_to(i.versions);
    json.at("host").get_to(i.host);
    json.at("machine").get_to(i.machine);
    i.groups = static_cast<int>(whole(json, "groups", 1));
    i.ranks_per_run = static_cast<int>(whole(json, "ranks_per_run", 1));
    if (json.contains("last_group_ranks"))
      i.last_group_ranks = static_cast<int>(whole(json, "last_group_ranks", 1));
    i.threads = static_cast<int>(whole(json, "threads", 1));
    i.seeds = json.at("seeds").get<std::string>();
    parse_seeds(i.seeds);
    i.target = Target(json.at("target").get<std::string>()).text();
    json.at("command").get_to(i.command);
    json.at("started").get_to(i.started);
    if (json.contains("declared"))
      for (const Json& one : json.at("declared"))
        i.declared.push_back(
            {one.at("seeds").get<std::string>(), one.at("date").get<std::string>()});
    if (i.declared.empty()) i.declared.push_back({i.seeds, i.started});  // by an earlier version
    return i;
  } catch (const std::runtime_error& error) {
    throw damaged(file, error.what());
  } catch (const Json::exception& error) {
    throw damaged(file, error.what());
  }
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

void read_epochs(const fs::path& file, std::vector<SeedOutcome>& outcomes) {
  const CsvTable csv(file);
  const std::vector<std::string> columns(csv.header().begin() + 1, csv.header().end());
  const std::string header = fmt::format("{}", fmt::join(columns, ","));
  const auto place = places(outcomes);
  for (SeedOutcome& outcome : outcomes) outcome.epochs = {header};
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const auto found = place.find(seed_in(csv, row));
    if (found == place.end()) continue;  // of a seed whose own row was not written any more
    std::vector<std::string> cells;
    for (const std::string& column : columns) cells.push_back(csv.text(row, column));
    outcomes[found->second].epochs.push_back(fmt::format("{}", fmt::join(cells, ",")));
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

void read_tables(const fs::path& folder, SweepRecord& record) {
  if (!fs::exists(folder / "seeds.csv")) return;
  const CsvTable seeds(folder / "seeds.csv");
  for (std::size_t row = 0; row < seeds.rows(); ++row)
    record.outcomes.push_back(parse_outcome(seeds, row, record.identity));
  // Counted twice it would stand for a seed that is missing.
  if (const auto twice = seed_that_is_twice(record.outcomes))
    throw data_error(
        fmt::format("{}: seed {} appears twice", (folder / "seeds.csv").string(), *twice),
        "delete one of its rows");
  // Only seeds.csv decides which seeds are done. The other two have details.
  if (fs::exists(folder / "epochs.csv")) read_epochs(folder / "epochs.csv", record.outcomes);
  if (fs::exists(folder / "errors.csv"))
    read_errors(folder / "errors.csv", record.identity.scored(), record.outcomes);
}

void read_rows(const fs::path& folder, SweepRecord& record) {
  std::string header;  // of the epochs, which will share a table
  for (const std::uint64_t block : blocks_with_rows(folder))
    for (const std::uint64_t seed : rows_in(folder, block)) {
      const fs::path file = row_file(folder, seed);
      record.outcomes.push_back(
          parse_row(read_text_file(file), file.string(), record.identity, RowPart::all));
      if (record.outcomes.back().seed != seed)
        throw damaged(file, fmt::format("it is the row of seed {}", record.outcomes.back().seed));
      if (const auto& epochs = record.outcomes.back().epochs; !epochs.empty()) {
        if (!header.empty() && header != epochs.front())
          throw damaged(file, "its epochs have other columns than those of other rows");
        header = epochs.front();
      }
    }
}

}  // namespace

SweepIdentity read_identity(const fs::path& folder) {
  if (!fs::exists(folder / "sweep.json"))
    throw usage_error(fmt::format("{} holds no sweep", folder.string()),
                      "name the folder that mnist-dist sweep --out wrote");
  return parse_identity(folder / "sweep.json");
}

SweepRecord read_record(const fs::path& folder) {
  SweepRecord record;
  record.identity = read_identity(folder);
  record.recipe_text = read_text_file(folder / "config.toml");
  record.has_rows = fs::exists(folder / "rows");
  if (record.has_rows)
    read_rows(folder, record);
  else
    read_tables(folder, record);
  // Another start may have added seeds after the first look at sweep.json.
  if (!undeclared_seeds(record).empty()) record.identity = read_identity(folder);
  check_record(folder, record);
  return record;
}

void check_tables(const fs::path& folder) {
  if (!fs::exists(folder / "rows") || count_rows(folder) > 10 * block_size) return;
  SweepRecord tables;
  tables.identity = read_identity(folder);
  tables.recipe_text = read_text_file(folder / "config.toml");
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

std::string sweep_json(const SweepIdentity& i) {
  Json declared = Json::array();
  for (const auto& [seeds, date] : i.declared)
    declared.push_back({{"seeds", seeds}, {"date", date}});
  Json json{{"recipe", i.recipe},
            {"parameter_count", i.parameter_count},
            {"epochs", i.epochs},
            {"seeds", i.seeds},
            {"declared", std::move(declared)},
            {"target", i.target},
            {"scored", i.scored()},
            {"images", i.images},
            {"data_file", i.data_file},
            {"data_hash", i.data_hash},
            {"synthetic", i.synthetic},
            {"fingerprint", i.fingerprint},
            {"engine", i.engine},
            {"simd", i.simd},
            {"device", i.device},
            {"versions", i.versions},
            {"groups", i.groups},
            {"ranks_per_run", i.ranks_per_run},
            {"threads", i.threads},
            {"host", i.host},
            {"machine", i.machine},
            {"command", i.command},
            {"started", i.started}};
  if (!i.recipe_sha256.empty()) json["recipe_sha256"] = i.recipe_sha256;
  if (!i.data_set.empty()) json["data_set"] = i.data_set;
  if (i.last_group_ranks > 0) json["last_group_ranks"] = i.last_group_ranks;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";  // the command may hold bytes that are not UTF-8
}

namespace {

std::string epochs_lines(const SeedOutcome& outcome) {
  std::string text;
  for (std::size_t line = 1; line < outcome.epochs.size(); ++line)
    text += fmt::format("{},{}\n", outcome.seed, outcome.epochs[line]);
  return text;
}

std::string epochs_header(const SweepRecord& record) {
  for (const SeedOutcome& outcome : record.outcomes)
    if (!outcome.epochs.empty()) return "seed," + outcome.epochs[0] + "\n";
  return "";
}

template <class Lines>
std::string table_text(std::string text, const SweepRecord& record, const Lines& lines) {
  for (const SeedOutcome& outcome : record.outcomes) text += lines(outcome);
  return text;
}

template <class Lines>
bool write_table(const fs::path& file, const std::string& header, const SweepRecord& record,
                 const Lines& lines, const FolderLock& lock) {
  AtomicFile table(file);
  table.write(header);
  for (const SeedOutcome& outcome : record.outcomes) table.write(lines(outcome));
  if (!lock.in_place()) return false;
  table.put_in_place();
  return true;
}

}  // namespace

std::string seeds_csv(const SweepRecord& record) {
  return table_text(seeds_header(record.identity.scored()), record, seeds_line);
}
std::string epochs_csv(const SweepRecord& record) {
  return table_text(epochs_header(record), record, epochs_lines);
}
std::string errors_csv(const SweepRecord& record) {
  return table_text(errors_header(record.identity.scored()), record, errors_lines);
}

bool write_tables(const fs::path& folder, const SweepRecord& record, const FolderLock& lock) {
  const std::string scored = record.identity.scored();
  // The first row has the names of the columns.
  const std::string header = epochs_header(record);
  return (header.empty() ||
          write_table(folder / "epochs.csv", header, record, epochs_lines, lock)) &&
         write_table(folder / "errors.csv", errors_header(scored), record, errors_lines, lock) &&
         write_table(folder / "seeds.csv", seeds_header(scored), record, seeds_line, lock);
}

}  // namespace mnist_dist
