#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "model/spec.h"

namespace mnist_dist {

/// counts[label][prediction].
using Confusion = std::array<std::array<int, class_count>, class_count>;
Confusion confusion_of(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> predictions);

/// An aligned table of 60 columns: one row per label, one column per predicted class, recall behind
/// each row; zeros as dots so that the mistakes stand out.
std::string confusion_table(const Confusion& counts);

/// A 28x28 image as text, two pixel rows a line, for a terminal.
std::string draw_digit(std::span<const std::uint8_t> pixels);

}  // namespace mnist_dist
