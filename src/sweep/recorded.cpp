#include "sweep/recorded.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "sweep/record.h"
#include "sweep/summary_check.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

Recorded of_sweep(const fs::path& folder, std::optional<std::uint64_t> seed) {
  const SweepRecord record = read_record(folder);
  auto found = record.outcomes.end();
  for (auto outcome = record.outcomes.begin(); outcome != record.outcomes.end(); ++outcome) {
    const bool counts = seed ? outcome->seed == *seed : !outcome->diverged;
    if (counts && (found == record.outcomes.end() || outcome->seed < found->seed)) found = outcome;
  }
  if (found == record.outcomes.end())
    throw usage_error(
        fmt::format("{} has no {} that has ended", folder.string(),
                    seed ? fmt::format("seed {}", *seed) : "seed"),
        fmt::format("choose one of the seeds in {}", (folder / "seeds.csv").string()));
  if (found->diverged)
    throw usage_error(
        fmt::format("{}: seed {} diverged and has no weights", folder.string(), found->seed),
        fmt::format("choose a different seed of {}", (folder / "seeds.csv").string()));
  Recorded recorded;
  recorded.config = parse_config(record.recipe_text, (folder / "config.toml").string());
  recorded.config.train.seed = found->seed;
  recorded.data_hash = record.identity.data.hash;
  recorded.engine = found->engine;
  recorded.parameters_sha256 = found->parameters_sha256;
  return recorded;
}

Recorded of_run(const fs::path& folder, std::optional<std::uint64_t> seed) {
  const fs::path file = folder / "summary.json";
  if (!fs::exists(file) || !fs::exists(folder / "config.toml"))
    throw usage_error(fmt::format("{}: neither a finished run nor a sweep", folder.string()),
                      "name the folder of a run that has a summary.json, or of a sweep");
  Recorded recorded;
  recorded.config =
      parse_config(read_text_file(folder / "config.toml"), (folder / "config.toml").string());
  try {
    const auto json = nlohmann::ordered_json::parse(read_text_file(file));
    check_summary_recipe(json, folder, recorded.config);
    if (const auto checkpoint = finished_checkpoint(folder))
      check_recipe_in(folder, recorded.config, *checkpoint);
    json.at("seed").get_to(recorded.config.train.seed);
    json.at("data_hash").get_to(recorded.data_hash);
    json.at("engine").get_to(recorded.engine.name);
    json.at("simd").get_to(recorded.engine.simd);
    json.at("parameters_sha256").get_to(recorded.parameters_sha256);
    recorded.initial_sha256 = json.value("initial_parameters_sha256", "");
  } catch (const nlohmann::json::exception& error) {
    throw damaged_file_error(file.string(), error.what(), "put the file back as it was");
  }
  if (seed && *seed != recorded.config.train.seed)
    throw usage_error(fmt::format("{}: different seed (got {}, expected {})", folder.string(),
                                  *seed, recorded.config.train.seed),
                      "leave --seed out");
  return recorded;
}

}  // namespace

Recorded read_recorded(const fs::path& folder, std::optional<std::uint64_t> seed) {
  return fs::exists(folder / "sweep.json") ? of_sweep(folder, seed) : of_run(folder, seed);
}

}  // namespace mnist_dist
