#pragma once

namespace mnist_dist {

/// From now on the first INT, TERM, USR1 or USR2 requests a clean stop. A second one ends the
/// process at once with exit code 130. The same request may arrive twice, from the terminal and
/// from mpirun: signals within 0.3 s of the first count as one. HUP (the terminal was closed), XCPU
/// (the limit on CPU time) and PIPE (the reader of stdout or stderr has gone) also request a clean
/// stop, and never count as one of the two, because the system repeats them. HUP, USR2 and XCPU
/// stay ignored where they are (nohup). QUIT keeps its meaning: at once, with a core file where the
/// user allows them.
void install_stop_handlers();

bool stop_requested() noexcept;

/// A write beyond the limit on file sizes (ulimit -f) then fails, as one on a full disk does,
/// instead of ending the process.
void ignore_file_size_signal() noexcept;

/// After the stop, before the process exits: a later signal still ends it at once, without a
/// message. mpirun sends TERM to ranks that take a moment longer to leave than the first one.
void stop_made() noexcept;

/// Forgets the request, for tests.
void reset_stop_request() noexcept;

}  // namespace mnist_dist
