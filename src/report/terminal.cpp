#include "report/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string_view>

#include "base/descriptor.h"
#include "comm/communicator.h"

namespace mnist_dist {
namespace {

/// What `question` finds out about an output's descriptor, or about the launcher's; 0 where there is no such thing to look at (srun, another user's
/// process).
int ask(Output output, const std::function<int(int descriptor)>& question) {
  const int descriptor = output == Output::standard_out ? STDOUT_FILENO : STDERR_FILENO;
  try {
    if (!detect_launcher().present) return question(descriptor);
  } catch (const Error&) {
    return 0;  // a launcher that is refused; asked on the way to saying so
  }
  const std::string path = fmt::format("/proc/{}/fd/{}", ::getppid(), descriptor);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  return question(file.get());  // of none that is open, too: 0
}

}  // namespace

bool is_terminal(Output output) { return ask(output, ::isatty) != 0; }

int terminal_columns(Output output) {
  return ask(output, [](int descriptor) {
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? int{size.ws_col} : 0;
  });
}

bool takes_control_sequences(Output output) {
  const char* type = std::getenv("TERM");
  return type && *type && std::string_view(type) != "dumb" && is_terminal(output);
}

bool use_color(Output output) {
  const char* no_color = std::getenv("NO_COLOR");
  return (!no_color || !*no_color) && takes_control_sequences(output);
}

}  // namespace mnist_dist
