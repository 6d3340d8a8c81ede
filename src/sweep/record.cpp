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
#include "model/spec.h"
#include "sweep/csv.h"
#include "sweep/record_check.h"
#include "sweep/seeds.h"
#include "sweep/statistics.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Error damaged(const fs::path& file, const std::string& why) {
  return data_error(fmt::format("{} is damaged: {}", file.string(), why), "put the file back as it was, or begin in another folder");
}

constexpr std::int64_t any_int = std::numeric_limits<int>::max(), any_seed = std::numeric_limits<std::int64_t>::max();

std::int64_t whole(const Json& json, const char* key, std::int64_t low) {
  const Json& value = json.at(key);
  if (!value.is_number_integer() || value < low || value > any_int)
    throw std::runtime_error(fmt::format("{} is {}, not {} to {}", key, value.dump(), low, any_int));
  return value.get<std::int64_t>();
}

SweepIdentity parse_identity(const fs::path& file) {
  const std::string text = read_text_file(file);
  try {
    const Json json = Json::parse(text);
    SweepIdentity i;
    json.at("recipe").get_to(i.recipe);
    i.parameter_count = static_cast<std::size_t>(whole(json, "parameter_count", 0));
    i.epochs = static_cast<int>(whole(json, "epochs", 0));
    json.at("data_file").get_to(i.data_file);
    json.at("data_hash").get_to(i.data_hash);
    json.at("synthetic").get_to(i.synthetic);
    const auto scored = json.at("scored").get<std::string>();
    i.validation = scored == "validation";
    if (scored != i.scored()) throw std::runtime_error(fmt::format("scored is \"{}\", not test or validation", scored));
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
    if (json.contains("last_group_ranks")) i.last_group_ranks = static_cast<int>(whole(json, "last_group_ranks", 1));
    i.threads = static_cast<int>(whole(json, "threads", 1));
    i.seeds = json.at("seeds").get<std::string>();
    parse_seeds(i.seeds);
    i.target = Target(json.at("target").get<std::string>()).text();
    json.at("command").get_to(i.command);
    json.at("started").get_to(i.started);
    return i;
  } catch (const std::runtime_error& error) {
    throw damaged(file, error.what());
  } catch (const Json::exception& error) {
    throw damaged(file, error.what());
  }
}

std::uint64_t seed_in(const CsvTable& csv, std::size_t row) { return static_cast<std::uint64_t>(csv.integer(row, "seed", 0, any_seed)); }

/// A verdict rests on this row, so that nothing in it may be what no run can come to.
SeedOutcome parse_outcome(const CsvTable& csv, std::size_t row, const SweepIdentity& identity) {
  const std::string scored = identity.scored(), status = csv.text(row, "status");
  const auto count = [&](const char* column, int low) { return static_cast<int>(csv.integer(row, column, low, any_int)); };
  const auto percent = [&](const std::string& column) { return csv.number(row, column, 0, 100); };
  SeedOutcome o;
  o.seed = seed_in(csv, row);
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

std::string seed_row(const SeedOutcome& o) {
  const std::string scores = o.diverged ? ",,,,,,"
                                        : fmt::format("{:.4f},{},{},{:.6f},{:.4f},{:.4f},{}", o.final_accuracy, o.final_correct, o.images,
                                                      o.final_loss, o.raw_accuracy, o.best_accuracy, o.best_epoch);
  return fmt::format("{},{},{},{:.3f},{},{},{},{},{},{},{},{},{}\n", o.seed, o.diverged ? "diverged" : "ok", scores, o.seconds, o.group, o.ranks,
                     o.threads, o.engine, o.simd, o.device, o.parameters_sha256, o.raw_parameters_sha256, o.message);
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

void read_errors(const fs::path& file, const std::string& scored, std::vector<SeedOutcome>& outcomes) {
  const CsvTable csv(file);
  const auto place = places(outcomes);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const auto found = place.find(seed_in(csv, row));
    if (found == place.end()) continue;
    const auto number = [&](const std::string& column, std::int64_t high) { return static_cast<int>(csv.integer(row, column, 0, high)); };
    outcomes[found->second].mistakes.push_back(
        {number(scored + "_index", any_int), number("label", class_count - 1), number("prediction", class_count - 1)});
  }
}

}  // namespace

SweepRecord read_record(const fs::path& folder) {
  if (!fs::exists(folder / "sweep.json"))
    throw usage_error(fmt::format("{} holds no sweep", folder.string()), "name the folder that mnist-dist sweep --out wrote");
  SweepRecord record;
  record.identity = parse_identity(folder / "sweep.json");
  record.recipe_text = read_text_file(folder / "config.toml");
  if (!fs::exists(folder / "seeds.csv")) {
    check_record(folder, record);
    return record;
  }
  const std::string scored = record.identity.scored();
  const CsvTable seeds(folder / "seeds.csv");
  for (std::size_t row = 0; row < seeds.rows(); ++row) record.outcomes.push_back(parse_outcome(seeds, row, record.identity));
  // Counted twice it would stand for a seed that is missing.
  if (const auto twice = seed_that_is_twice(record.outcomes))
    throw data_error(fmt::format("{}: seed {} is there twice", (folder / "seeds.csv").string(), *twice), "delete one of its rows");
  // Only seeds.csv decides what is done; the other two say more about it.
  if (fs::exists(folder / "epochs.csv")) read_epochs(folder / "epochs.csv", record.outcomes);
  if (fs::exists(folder / "errors.csv")) read_errors(folder / "errors.csv", scored, record.outcomes);
  check_record(folder, record);
  return record;
}

std::string sweep_json(const SweepIdentity& i) {
  Json json{{"recipe", i.recipe},
            {"parameter_count", i.parameter_count},
            {"epochs", i.epochs},
            {"seeds", i.seeds},
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
  if (i.last_group_ranks > 0) json["last_group_ranks"] = i.last_group_ranks;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";  // the command may hold bytes that are not UTF-8
}

std::string seeds_csv(const SweepRecord& record) {
  std::string text = fmt::format(
      "seed,status,final_{0}_accuracy,final_{0}_correct,{0}_images,final_{0}_loss,raw_{0}_accuracy,best_{0}_accuracy,best_epoch,seconds,group,ranks,"
      "threads,engine,simd,device,parameters_sha256,raw_parameters_sha256,message\n",
      record.identity.scored());
  for (const SeedOutcome& outcome : record.outcomes) text += seed_row(outcome);
  return text;
}

std::string epochs_csv(const SweepRecord& record) {
  std::string text;
  for (const SeedOutcome& outcome : record.outcomes)
    for (std::size_t line = text.empty() ? 0 : 1; line < outcome.epochs.size(); ++line)
      text += line == 0 ? "seed," + outcome.epochs[0] + "\n" : fmt::format("{},{}\n", outcome.seed, outcome.epochs[line]);
  return text;
}

std::string errors_csv(const SweepRecord& record) {
  std::string text = fmt::format("seed,{}_index,label,prediction\n", record.identity.scored());
  for (const SeedOutcome& outcome : record.outcomes)
    for (const Mistake& mistake : outcome.mistakes)
      text += fmt::format("{},{},{},{}\n", outcome.seed, mistake.index, mistake.label, mistake.prediction);
  return text;
}

}  // namespace mnist_dist
