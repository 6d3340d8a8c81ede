#pragma once
#include <string>

#include "model/spec.h"

namespace mnist_dist {

/// The network as an SVG file with one row per layer: its output as a square to scale, its
/// receptive field inside the image, the operation, the shape and the number of parameters. Light
/// and dark.
std::string network_svg(const std::string& name, const ModelSpec& model);

}  // namespace mnist_dist
