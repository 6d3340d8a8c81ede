#include "base/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "base/printable.h"

namespace mnist_dist {

void fill_closed_streams() {
  // open() takes the lowest free number, so that closed ones are filled in order.
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0) [[maybe_unused]]
      const int filled = ::open("/dev/null", O_RDWR);
}

void print(std::string_view text) { print_styled(printable_lines(text)); }

void print_styled(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string message_line(std::string_view line) {
  constexpr std::size_t most = 1000;
  return shortened(printable(line), most);
}

void say_line(std::string_view line) { say(message_line(line) + "\n"); }

namespace {

/// Whether stdout is a pipe whose reader has gone: it needs no more output.
bool reader_has_gone() {
  pollfd output{STDOUT_FILENO, 0, 0};  // errors are always reported
  return ::poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
}

}  // namespace

void finish_output() {
  const bool flushed = std::fflush(stdout) == 0;
  if ((!flushed || std::ferror(stdout)) && !reader_has_gone())
    throw data_error("not all of the output could be written to stdout",
                     "free some space there, or send it elsewhere");
}

}  // namespace mnist_dist
