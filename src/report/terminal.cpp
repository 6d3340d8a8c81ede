#include "report/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

#include "base/descriptor.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "comm/communicator.h"
#include "report/text_table.h"

namespace mnist_dist {
namespace {

/// The result of `question` for an output's descriptor, or for the launcher's: under mpirun isatty
/// is always 1 for stdout and 0 for stderr. 0 without one (srun, another user's process).
int ask(Output output, const std::function<int(int descriptor)>& question) {
  const int descriptor = output == Output::standard_out ? STDOUT_FILENO : STDERR_FILENO;
  try {
    if (!detect_launcher().present) return question(descriptor);
  } catch (const Error&) {
    return 0;  // a launcher that is rejected, before the error is printed
  }
  const std::string path = fmt::format("/proc/{}/fd/{}", ::getppid(), descriptor);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  return question(file.get());  // of none that is open, too: 0
}

}  // namespace

bool say_to_launcher(std::string_view text) {
  try {
    if (!detect_launcher().present) return false;
  } catch (const Error&) {
    return false;
  }
  const std::string parent = fmt::format("/proc/{}", ::getppid());
  std::string name;
  std::getline(std::ifstream(parent + "/comm"), name);
  constexpr std::array names{"mpirun", "mpiexec", "orterun", "prterun"};
  if (std::ranges::find(names, name) == names.end()) return false;
  const Descriptor file(
      ::open((parent + "/fd/2").c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  struct stat kind {};
  if (file.get() < 0 || ::fstat(file.get(), &kind) != 0) return false;
  // Into a file it would be written at a different place than mpirun's own lines.
  if (!S_ISCHR(kind.st_mode) && !S_ISFIFO(kind.st_mode)) return false;
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

int terminal_columns(Output output) {
  return ask(output, [](int descriptor) {
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? int{size.ws_col} : 0;
  });
}

void print_fitted(std::string_view text, int indent) {
  print(folded(printable_lines(text), terminal_columns(Output::standard_out), indent));
}

void say_fitted(std::string_view line) {
  say(folded(message_line(line), terminal_columns(Output::standard_error)) + "\n");
}

bool takes_control_sequences(Output output) {
  const char* type = std::getenv("TERM");
  const std::string_view terminal = type ? type : "";
  return !terminal.empty() && terminal != "dumb" && terminal != "unknown" && ask(output, ::isatty);
}

bool use_color(Output output) {
  const char* no_color = std::getenv("NO_COLOR");
  return (!no_color || !*no_color) && takes_control_sequences(output);
}

}  // namespace mnist_dist
