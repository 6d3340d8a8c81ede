#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "train/provenance.h"

namespace mnist_dist {

/// A range of seeds that a start of the sweep added, and when.
struct Declaration {
  std::string seeds, date;
};

/// Identity of a sweep: sweep.json. The versions of its engine have this program's, too.
struct SweepIdentity : Provenance {
  std::string recipe_sha256 = {};  ///< of config.toml (sweep/recipe_hash.h). "": earlier versions
  std::int64_t images = 0;         ///< scored
  std::string fingerprint = {};    ///< sweep/seed_run.h
  std::string machine = {};
  int groups = 1, ranks_per_run = 1;
  int last_group_ranks = 0;  ///< if the last group has fewer than the others, otherwise 0
  std::string seeds = {};    ///< all that were declared
  std::vector<Declaration> declared = {};  ///< in the order of their dates
  std::string target = {};                 ///< in percent, the same for all starts
};

std::string sweep_json(const SweepIdentity& identity);

/// Reads a sweep's sweep.json.
/// Throws: Error: usage when the folder holds no sweep, data when the file is damaged.
SweepIdentity read_identity(const std::filesystem::path& folder);

}  // namespace mnist_dist
