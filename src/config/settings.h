#pragma once
#include <string>
#include <vector>

#include "config/config.h"

namespace mnist_dist {

/// One key of a recipe with its value as TOML writes it.
struct Setting {
  std::string key;  ///< "train.epochs"
  std::string text;
};

/// All keys outside the model that decide a result, in the order of to_toml.
std::vector<Setting> settings_of(const Config& config);

}  // namespace mnist_dist
