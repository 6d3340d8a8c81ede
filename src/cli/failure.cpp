#include "cli/failure.h"

#include <fmt/format.h>

#include "base/error_text.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "cli/first_rank.h"
#include "report/terminal.h"

namespace mnist_dist {

void print_error(const Error& error, const std::string& who) {
  // A hint may be a command to copy: the longest path with some words around it is not cut.
  constexpr std::size_t most = 5000;
  const std::string what = (who.empty() ? "" : who + ": ") + message_line(error.what()),
                    hint = shortened(printable(error.hint()), most);
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
