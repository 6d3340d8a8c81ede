#include "sweep/record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "model/spec.h"
#include "sweep/csv.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

SweepIdentity parse_identity(const fs::path& file) {
  try {
    const Json json = Json::parse(read_text_file(file));
    SweepIdentity i;
    json.at("recipe").get_to(i.recipe);
    json.at("parameter_count").get_to(i.parameter_count);
    json.at("epochs").get_to(i.epochs);
    json.at("data_file").get_to(i.data_file);
    json.at("data_hash").get_to(i.data_hash);
    json.at("synthetic").get_to(i.synthetic);
    i.validation = json.at("scored") == "validation";
    json.at("images").get_to(i.images);
    json.at("fingerprint").get_to(i.fingerprint);
    json.at("engine").get_to(i.engine);
    json.at("simd").get_to(i.simd);
    json.at("device").get_to(i.device);
    json.at("versions").get_to(i.versions);
    json.at("host").get_to(i.host);
    json.at("machine").get_to(i.machine);
    json.at("groups").get_to(i.groups);
    json.at("ranks_per_run").get_to(i.ranks_per_run);
    json.at("threads").get_to(i.threads);
    json.at("seeds").get_to(i.seeds);
    json.at("target").get_to(i.target);
    json.at("command").get_to(i.command);
    json.at("started").get_to(i.started);
    return i;
  } catch (const Json::exception& error) {
    throw data_error(fmt::format("{} is damaged: {}", file.string(), error.what()), "put the file back as it was, or begin in another folder");
  }
}

SeedOutcome parse_outcome(const CsvTable& csv, std::size_t row, const std::string& scored) {
  SeedOutcome o;
  o.seed = static_cast<std::uint64_t>(csv.integer(row, "seed"));
  o.diverged = csv.text(row, "status") == "diverged";
  o.group = static_cast<int>(csv.integer(row, "group"));
  o.ranks = static_cast<int>(csv.integer(row, "ranks"));
  o.threads = static_cast<int>(csv.integer(row, "threads"));
  o.engine = csv.text(row, "engine");
  o.simd = csv.text(row, "simd");
  o.device = csv.text(row, "device");
  o.seconds = csv.number(row, "seconds");
  o.message = csv.text(row, "message");
  if (o.diverged) return o;
  o.final_accuracy = csv.number(row, "final_" + scored + "_accuracy");
  o.final_correct = csv.integer(row, "final_" + scored + "_correct");
  o.images = csv.integer(row, scored + "_images");
  o.final_loss = csv.number(row, "final_" + scored + "_loss");
  o.raw_accuracy = csv.number(row, "raw_" + scored + "_accuracy");
  o.best_accuracy = csv.number(row, "best_" + scored + "_accuracy");
  o.best_epoch = static_cast<int>(csv.integer(row, "best_epoch"));
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
    const auto found = place.find(static_cast<std::uint64_t>(csv.integer(row, "seed")));
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
    const auto found = place.find(static_cast<std::uint64_t>(csv.integer(row, "seed")));
    if (found == place.end()) continue;
    outcomes[found->second].mistakes.push_back({csv.integer(row, scored + "_index", 0, std::numeric_limits<int>::max()),
                                                csv.integer(row, "label", 0, class_count - 1), csv.integer(row, "prediction", 0, class_count - 1)});
  }
}

}  // namespace

SweepRecord read_record(const fs::path& folder) {
  if (!fs::exists(folder / "sweep.json"))
    throw usage_error(fmt::format("{} holds no sweep", folder.string()), "name the folder that mnist-dist sweep --out wrote");
  SweepRecord record;
  record.identity = parse_identity(folder / "sweep.json");
  record.recipe_text = read_text_file(folder / "config.toml");
  if (!fs::exists(folder / "seeds.csv")) return record;
  const std::string scored = record.identity.scored();
  const CsvTable seeds(folder / "seeds.csv");
  for (std::size_t row = 0; row < seeds.rows(); ++row) record.outcomes.push_back(parse_outcome(seeds, row, scored));
  // Counted twice it would stand for a seed that is missing.
  if (const auto twice = seed_that_is_twice(record.outcomes))
    throw data_error(fmt::format("{}: seed {} is there twice", (folder / "seeds.csv").string(), *twice), "delete one of its rows");
  // Only seeds.csv decides what is done; the other two say more about it.
  if (fs::exists(folder / "epochs.csv")) read_epochs(folder / "epochs.csv", record.outcomes);
  if (fs::exists(folder / "errors.csv")) read_errors(folder / "errors.csv", scored, record.outcomes);
  return record;
}

std::string sweep_json(const SweepIdentity& i) {
  return Json{{"recipe", i.recipe},
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
              {"started", i.started}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +  // the command may hold bytes that are not UTF-8
         "\n";
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
