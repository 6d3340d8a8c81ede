#pragma once
#include <exception>
#include <string>

#include "base/error.h"

namespace mnist_dist {

/// "error: WHAT" and "hint: HINT" on stderr, each one line; `who` ("rank 2") stands before WHAT
/// when given.
void print_error(const Error& error, const std::string& who = "");

/// For main: prints, and gives the exit code. What all ranks met, rank 0 prints for all; another
/// rank prints when it turns out to be alone with it.
ExitCode report_failure(std::exception_ptr exception);

}  // namespace mnist_dist
