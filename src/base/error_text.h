#pragma once
#include <string>

#include "base/error.h"

namespace mnist_dist {

/// "error: WHAT" and "hint: HINT" if there is one, one line each. `color`: the first word is red.
std::string error_text(const Error& error, bool color = false);

}  // namespace mnist_dist
