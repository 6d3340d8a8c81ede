#include "report/live_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "base/standard_streams.h"
#include "report/terminal.h"

namespace mnist_dist {

LiveLine::LiveLine() : live_(takes_control_sequences(Output::standard_error)) {}

void LiveLine::show(const std::string& line) {
  if (live_)
    say(fmt::format("\r{}\x1b[K",
                    fitted(printable(line), terminal_columns(Output::standard_error))));
  else
    say_line(line);
  shown_ = live_;
}

void LiveLine::show_first_that_fits(const std::vector<std::string>& forms) {
  const int columns = terminal_columns(Output::standard_error);
  const auto fits = std::ranges::find_if(
      forms, [&](const std::string& form) { return fitted(form, columns) == form; });
  show(fits == forms.end() ? forms.back() : *fits);
}

void LiveLine::clear() {
  if (shown_) say("\r\x1b[K");
  shown_ = false;
}

std::string fitted(const std::string& line, int columns) {
  // A character in the last column may leave the cursor behind the line's end, where clearing the
  // rest would take it away again.
  return columns > 0 ? line.substr(0, static_cast<std::size_t>(columns) - 1) : line;
}

}  // namespace mnist_dist
