#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/provenance.h"

namespace mnist_dist {

/// summary.json of a run that has ended. The versions of its engine have this program's, too.
struct RunSummary : Provenance {
  std::uint64_t seed = 0;
  std::int64_t steps = 0;
  Score final = {.accuracy = -1};  ///< of the delivered weights, without the number of images.
                                   ///< Accuracy below 0: the file has none
  Best best = {};
  bool averaged = false;
  std::string parameters_sha256 = {}, raw_parameters_sha256 = {};
  int ranks = 0;
  std::string ended = {};
  double seconds = 0, images_per_second = 0;
  std::string stopped_by = {};                 ///< the key of the recipe, "": it trained to the end
  std::string initial_parameters_sha256 = {};  ///< of --init-from
};

std::string summary_json(const RunSummary& summary);

/// Sets the values that the file has: older versions wrote fewer. summary.validation must be set,
/// because it decides keys.
/// Throws: nlohmann's exceptions where a value has the wrong type.
void read_summary(RunSummary& summary, const nlohmann::ordered_json& json);

}  // namespace mnist_dist
