#pragma once
#include <string>
#include <string_view>

namespace mnist_dist {

/// Opens /dev/null for each of stdin, stdout and stderr that is closed. Else the next file opened
/// gets its number, and is printed into.
void fill_closed_streams();

/// Results: to stdout, at once, with control characters other than line ends and tabs escaped.
/// Output that cannot be written (a closed terminal) does not end a run: finish_output reports it.
void print(std::string_view text);
/// The same for text that already has colours in it: its values are escaped by the caller.
void print_styled(std::string_view text);

/// To stderr, at once, as it is: values in it are escaped by the caller. Where it cannot be written
/// (a full disk, a terminal that is gone) the text is lost, not the run.
void say(std::string_view text);
/// Notes, progress: one line, escaped and of limited length.
void say_line(std::string_view line);
/// That line, without its end.
std::string message_line(std::string_view line);

/// Flushes stdout.
/// Throws: Error (data) when some output was lost: `--print-config >file` on a full disk must not
/// leave half a recipe and exit code 0. A reader that has gone (`| head -1`) is no error.
void finish_output();

}  // namespace mnist_dist
