#pragma once
#include "config/config.h"

namespace mnist_dist {

/// Checks that the values of a recipe fit together.
/// Throws: Error (usage) naming the keys.
void check_config(const Config& config);

/// Rejects, in a recipe that a user gives, keys without effect because of other keys. Not part of
/// check_config, because recorded recipes are read as they are.
/// Throws: Error (usage) naming the key.
void reject_keys_without_effect(const Config& config);

}  // namespace mnist_dist
