#pragma once

namespace mnist_dist {

/// From now on the first INT, TERM or USR1 asks for a clean stop; a second one ends the process at once with exit code 130. The same
/// request may arrive twice, from the terminal and from mpirun: signals within 0.3 s of the first count as one.
void install_stop_handlers();

bool stop_requested() noexcept;

/// Forgets the request, for tests.
void reset_stop_request() noexcept;

}  // namespace mnist_dist
