#pragma once
#include <string>

#include "config/config.h"
#include "data/data_name.h"
#include "engine/engine_info.h"

namespace mnist_dist {

/// The name of the scored rows in files: those of the test set, or data.split's held-out ones.
constexpr const char* scored_name(bool validation) { return validation ? "validation" : "test"; }

/// Where a result comes from, as a run and a sweep record it. The recipe itself is config.toml.
struct Provenance {
  std::string recipe = {};  ///< its name in results
  std::size_t parameter_count = 0;
  int epochs = 0;
  bool validation = false;  ///< scores are of data.split's held-out rows
  DataSource data = {};
  EngineInfo engine = {};
  int threads = 1;  ///< per rank
  std::string host = {}, command = {}, started = {};

  const char* scored() const { return scored_name(validation); }
};

/// For a result that this process begins now. `recipe`: as results name it, by default
/// recipe_title.
Provenance provenance_of(const Config& config, const DataSource& data, const EngineInfo& engine,
                         int threads, const std::string& recipe = "");

}  // namespace mnist_dist
