#pragma once
#include "config/config.h"

namespace mnist_dist {

/// What no single key can tell: that the values of a recipe fit together. Throws Error (usage) naming the keys.
void check_config(const Config& config);

}  // namespace mnist_dist
