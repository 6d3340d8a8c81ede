#pragma once
#include <string>

#include "model/spec.h"

namespace mnist_dist {

/// A table for people: a line a layer with output shape, parameters, multiply-adds of one image forward, receptive field and jump (both in input
/// pixels); totals under it.
std::string summary_table(const ModelSpec& model);

}  // namespace mnist_dist
