#pragma once
#include <vector>

#include "model/layout.h"
#include "model/spec.h"

namespace mnist_dist::fused {

/// How a convolution is computed. Decided from shapes alone, because the choice decides the bits.
enum class Algorithm {
  direct,     ///< as defined
  winograd,   ///< F(4x4,3x3) (Winograd 1980, Lavin & Gray, CVPR 2016): a quarter of the
              ///< multiplications
  depthwise,  ///< as defined, channel by channel
};

/// The engine's plan of one layer, made before the first image.
struct LayerPlan {
  int index = -1;  ///< in ModelSpec::layers
  Layer layer{};
  LayerShape shape{};
  Algorithm algorithm = Algorithm::direct;
  DropoutRule dropout{};
  std::size_t weight = 0, bias = 0, gamma = 0,
              beta = 0;  ///< places in the flat parameter vector, where the layer has them
  std::size_t norm = 0;  ///< place of its means in the flat vector of norm statistics
};

std::vector<LayerPlan> make_plan(const ModelSpec& model);

}  // namespace mnist_dist::fused
