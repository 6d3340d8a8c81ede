#pragma once
#include <CLI/CLI.hpp>

namespace mnist_dist {

/// As CLI::Range, which lets NaN through.
CLI::Validator real_range(double low, double high);

}  // namespace mnist_dist
