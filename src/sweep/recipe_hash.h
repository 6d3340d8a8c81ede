#pragma once
#include <string>

#include "config/config.h"

namespace mnist_dist {

/// SHA-256, hexadecimal, of the part of recipe_toml that differs from the defaults: a key that a
/// later program adds keeps the hash.
std::string recipe_sha256(const Config& recipe);

}  // namespace mnist_dist
