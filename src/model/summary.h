#pragma once
#include <string>

#include "model/spec.h"

namespace mnist_dist {

/// "3x3 conv to 12, padding 1, ReLU, batch norm, dropout 0.1": in the order in which it is
/// computed.
std::string layer_description(const Layer& layer, const LayerShape& shape);

}  // namespace mnist_dist
