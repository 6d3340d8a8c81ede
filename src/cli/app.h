#pragma once
#include "base/error.h"

namespace mnist_dist {

/// Parses the command line and runs its subcommand (default: `train`).
/// Throws: Error (usage) with the nearest known name for an unknown subcommand or flag.
ExitCode run_app(int argc, char** argv);

}  // namespace mnist_dist
