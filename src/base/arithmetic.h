#pragma once

namespace mnist_dist {

/// Computes a few sums and products whose results IEEE 754 fixes, on the calling thread.
/// A library that was linked with -ffast-math, or preloaded, can turn subnormal numbers off or
/// change the rounding for the whole process, and then every result differs.
/// Throws: Error (device) that names the fault.
void check_arithmetic();

}  // namespace mnist_dist
