#pragma once
#include <CLI/CLI.hpp>

namespace mnist_dist {

/// As CLI::Range, but rejects NaN.
CLI::Validator real_range(double low, double high);

}  // namespace mnist_dist
