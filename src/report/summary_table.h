#pragma once
#include <string>

#include "model/spec.h"

namespace mnist_dist {

/// One row per layer with output shape, parameters, multiply-adds of one image forward, receptive
/// field and jump (both in input pixels), and totals below them. It fits into `columns` (0: any
/// width).
std::string summary_table(const ModelSpec& model, int columns);

}  // namespace mnist_dist
