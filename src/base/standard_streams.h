#pragma once
#include <string_view>

namespace mnist_dist {

/// Opens /dev/null for each of stdin, stdout and stderr that is closed. Else the next file opened gets its number, and is printed into.
void fill_closed_streams();

/// To stderr, at once. Where it cannot be written (a full disk, a terminal that is gone) the text is lost, not the run.
void say(std::string_view text);
/// The same with a line break behind it: notes, progress.
void say_line(std::string_view line);

/// Writes out what stdout still holds. Throws Error (data) when something printed did not arrive: `--print-config >file` on a full disk must not
/// leave half a recipe and exit code 0.
void finish_output();

}  // namespace mnist_dist
