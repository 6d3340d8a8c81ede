#pragma once
#include "image/ink.h"

namespace mnist_dist {

/// How several digits lie in a drawing.
enum class Arrangement { one_digit, side_by_side, above_each_other };

/// Looks for columns or rows without ink between parts that are as tall as a digit beside the
/// others. Digits that touch are one part.
Arrangement arrangement_of(const Ink& ink);

}  // namespace mnist_dist
