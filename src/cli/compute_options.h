#pragma once
#include <CLI/App.hpp>

#include "train/session.h"

namespace mnist_dist {

/// Most threads per rank.
inline constexpr int thread_limit = 1024;

/// Declares --engine, --device, --simd and --threads on a subcommand, and in a build for GPUs also
/// the options of GPUs. The values are in `options` after parsing.
void add_compute_options(CLI::App& app, ComputeOptions& options);

}  // namespace mnist_dist
