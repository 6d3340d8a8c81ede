#pragma once
#include <string>

#include "base/error_text.h"
#include "config/config.h"
#include "failures.h"

namespace mnist_dist {

/// The shortest recipe there is.
inline const std::string tiny = "[[model.layer]]\nlinear = 10\n";

/// Problem and hint of the usage error that `action` must throw.
template <class Action>
std::string usage_error_text(Action&& action) {
  return error_text(failure(ExitCode::usage, action));
}

}  // namespace mnist_dist
