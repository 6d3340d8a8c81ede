#pragma once
#include <exception>
#include <string>

#include "base/error.h"

namespace mnist_dist {

/// Prints "error: WHAT" and "hint: HINT" on stderr, one line each, with `who` ("rank 2") before
/// WHAT if given.
void print_error(const Error& error, const std::string& who = "");

/// Prints an error that this process meets outside of a world, with its rank if that is not 0.
/// Returns the exit code.
ExitCode report_failure(std::exception_ptr exception);

}  // namespace mnist_dist
