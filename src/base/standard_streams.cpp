#include "base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/error.h"

namespace mnist_dist {

void fill_closed_streams() {
  // open() takes the lowest free number, so that closed ones are filled in order.
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0) [[maybe_unused]]
      const int filled = ::open("/dev/null", O_RDWR);
}

void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void say_line(std::string_view line) { say(std::string(line) + "\n"); }

void finish_output() {
  const bool flushed = std::fflush(stdout) == 0;
  if (!flushed || std::ferror(stdout))
    throw data_error("not all of the output could be written to stdout", "free some space there, or send it elsewhere");
}

}  // namespace mnist_dist
