#pragma once
#include <string_view>

namespace mnist_dist {

enum class Output { standard_out, standard_error };

/// Current width of an output's terminal. 0 without one, or if it is unknown.
int terminal_columns(Output output);

/// print(), folded to the width of stdout's terminal. Lines after a break begin with `indent`
/// blanks.
void print_fitted(std::string_view text, int indent = 2);

/// say_line(), folded to the width of stderr's terminal.
void say_fitted(std::string_view line);

/// Whether an output is a terminal that understands control sequences: TERM names it, and not as
/// "dumb".
bool takes_control_sequences(Output output);

/// takes_control_sequences, and the NO_COLOR convention (no-color.org) does not forbid it.
bool use_color(Output output);

/// Writes to the stderr of mpirun, which started this rank on this host, where that is a terminal
/// or a pipe. After Ctrl-C mpirun passes nothing on. False where there is none: then nothing is
/// written.
bool say_to_launcher(std::string_view text);

}  // namespace mnist_dist
