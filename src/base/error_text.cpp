#include "base/error_text.h"

#include <fmt/format.h>

namespace mnist_dist {

std::string error_text(const Error& error, bool color) {
  std::string text = fmt::format("{}error: {}{}\n", color ? "\x1b[1;31m" : "",
                                 color ? "\x1b[0m" : "", error.what());
  if (!error.hint().empty()) text += fmt::format("hint: {}\n", error.hint());
  return text;
}

}  // namespace mnist_dist
