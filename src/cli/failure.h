#pragma once
#include <exception>
#include <string>

#include "base/error.h"

namespace mnist_dist {

/// Prints "error: WHAT" and "hint: HINT" on stderr, one line each, with `who` ("rank 2") before
/// WHAT if given.
void print_error(const Error& error, const std::string& who = "");

/// For main: prints, and gives the exit code. Rank 0 prints an error of all ranks. Another rank
/// prints an error that it alone met.
ExitCode report_failure(std::exception_ptr exception);

}  // namespace mnist_dist
