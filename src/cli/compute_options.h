#pragma once
#include <CLI/App.hpp>

#include "train/session.h"

namespace mnist_dist {

/// Declares --engine, --device, --simd and --threads on a subcommand, in a build for GPUs also what
/// is of these alone; the values are in `options` after parsing.
void add_compute_options(CLI::App& app, ComputeOptions& options);

}  // namespace mnist_dist
