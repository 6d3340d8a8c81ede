#include "cli/failure.h"

#include <fmt/format.h>

#include "base/error_text.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/first_rank.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

/// One line of limited length, for any text of files, arguments and hosts. A hint may be a command
/// to copy: it is cut only beyond the longest path with some words around it.
std::string error_line(const std::string& text) { return shortened(printable(text), 1000); }
std::string hint_line(const std::string& text) { return shortened(printable(text), 5000); }

}  // namespace

void print_error(const Error& error, const std::string& who) {
  const std::string what = (who.empty() ? "" : who + ": ") + error_line(error.what()),
                    hint = hint_line(error.hint());
  if (error.code() != ExitCode::interrupted) {
    say(error_text({error.code(), what, hint}, use_color(Output::standard_error)));
  } else {
    const std::string lines = what + "\n" + (hint.empty() ? "" : hint + "\n");
    if (!say_to_launcher("\n" + lines)) say(lines);
  }
}

ExitCode report_failure(std::exception_ptr exception) {
  const Error error = as_error(exception);
  const int rank = launched_rank();
  print_error(error, rank > 0 ? fmt::format("rank {}", rank) : "");
  return error.code();
}

}  // namespace mnist_dist
