#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "config/config.h"
#include "engine/engine_info.h"

namespace mnist_dist {

/// A finished run that was recorded: its inputs and its final hash.
struct Recorded {
  Config config;  ///< with its seed and its data file
  std::string data_hash;
  EngineInfo engine;              ///< its name and SIMD target alone
  std::string parameters_sha256;  ///< of the weights it delivers
  std::string initial_sha256;     ///< of those it began with after --init-from, otherwise empty
};

/// Reads a run's folder, or one seed of a sweep's. Without `seed` the first one of the sweep.
/// Throws: Error: usage when the folder holds neither, the run is not finished, or the sweep has no
/// hash of that seed, data when a file is damaged.
Recorded read_recorded(const std::filesystem::path& folder, std::optional<std::uint64_t> seed);

}  // namespace mnist_dist
