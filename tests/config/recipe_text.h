#pragma once
#include <string>

#include "base/error.h"
#include "config/config.h"

namespace mnist_dist {

/// The shortest recipe there is.
inline const std::string tiny = "[[model.layer]]\nlinear = 10\n";

/// "what | hint" of the error that `run` ends in, or "" when it does not.
template <class Run>
std::string refusal(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    return (error.code() == ExitCode::usage ? "" : "NOT A USAGE ERROR: ") +
           std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

}  // namespace mnist_dist
