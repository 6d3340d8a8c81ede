#pragma once
#include <exception>
#include <string>

#include "base/error.h"

namespace mnist_dist {

/// What an exception says: an Error as it is, anything else as an internal one.
Error as_error(std::exception_ptr exception);

/// "error: WHAT" and "hint: HINT" on stderr, each one line; `who` ("rank 2") stands before WHAT when given.
void print_error(const Error& error, const std::string& who = "");

/// For main: prints on rank 0 alone (all ranks met the same), and gives the exit code.
ExitCode report_failure(std::exception_ptr exception);

}  // namespace mnist_dist
