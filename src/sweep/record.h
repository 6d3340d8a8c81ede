#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sweep/outcome.h"

namespace mnist_dist {

/// What a sweep is, besides its outcomes: sweep.json.
struct SweepIdentity {
  std::string recipe;  ///< its name; the recipe itself is config.toml
  std::size_t parameter_count = 0;
  int epochs = 0;
  std::string data_file, data_hash;
  bool synthetic = false;   ///< drawn digits: never to be taken for a result on MNIST
  bool validation = false;  ///< scores are of data.split's held-out rows
  std::int64_t images = 0;  ///< scored
  std::string fingerprint;  ///< sweep/seed_run.h
  std::string engine, simd, device;
  std::map<std::string, std::string> versions;  ///< of libraries that compute, and this program's
  std::string host, machine;
  int groups = 1, ranks_per_run = 1, threads = 1;
  int last_group_ranks = 0;   ///< where the last group has fewer than the others; else 0
  std::string seeds, target;  ///< as asked for last
  std::string command, started;
  const char* scored() const { return validation ? "validation" : "test"; }
};

/// Everything that a sweep's folder tells.
struct SweepRecord {
  SweepIdentity identity;
  std::string recipe_text;            ///< config.toml
  std::vector<SeedOutcome> outcomes;  ///< in the order they ended
};

/// Reads config.toml, sweep.json, seeds.csv, epochs.csv and errors.csv. Throws Error: usage when the folder holds no sweep, data when one is damaged.
SweepRecord read_record(const std::filesystem::path& folder);

/// The files' texts. seeds.csv has a row a seed; epochs.csv every run's metrics.csv with the seed before it; errors.csv a row a mistake.
std::string sweep_json(const SweepIdentity& identity);
std::string seeds_csv(const SweepRecord& record);
std::string epochs_csv(const SweepRecord& record);
std::string errors_csv(const SweepRecord& record);

}  // namespace mnist_dist
