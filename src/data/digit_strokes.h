#pragma once
#include <span>
#include <vector>

namespace mnist_dist {

/// A point the pen passes through, in the digit's box: x from left 0 to right 1, y from top 0 to
/// bottom 1.
struct StrokePoint {
  float x, y;
  bool corner = false;  ///< a sharp turn. Elsewhere strokes are smooth
};
using Stroke = std::vector<StrokePoint>;

/// One way of writing a digit: its strokes, until the pen is lifted for the last time.
using Writing = std::vector<Stroke>;

/// The ways in which people write `digit` (0 to 9).
std::span<const Writing> ways_of_writing(int digit);

}  // namespace mnist_dist
