#include "report/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/descriptor.h"
#include "comm/communicator.h"

namespace mnist_dist {
namespace {

/// Whether a descriptor of the parent process is a terminal; no such thing to look at (srun, another user's process): no.
bool parent_has_terminal(int descriptor) {
  const std::string path = fmt::format("/proc/{}/fd/{}", ::getppid(), descriptor);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  return ::isatty(file.get());  // of none that is open, too: no
}

}  // namespace

bool is_terminal(Output output) {
  const int descriptor = output == Output::standard_out ? STDOUT_FILENO : STDERR_FILENO;
  try {
    return detect_launcher().present ? parent_has_terminal(descriptor) : ::isatty(descriptor);
  } catch (const Error&) {
    return false;  // a launcher that is refused; asked on the way to saying so
  }
}

bool use_color(Output output) {
  const char* no_color = std::getenv("NO_COLOR");
  return (!no_color || !*no_color) && is_terminal(output);
}

}  // namespace mnist_dist
