#pragma once
#include "config/config.h"

namespace mnist_dist {

/// What no single key can tell: that the values of a recipe fit together. Throws Error (usage)
/// naming the keys.
void check_config(const Config& config);

/// Refuses, in a recipe that somebody asks for, keys that the others leave without effect. Not part
/// of check_config: what was recorded is read as it is. Throws Error (usage) naming the key.
void refuse_keys_without_effect(const Config& config);

}  // namespace mnist_dist
