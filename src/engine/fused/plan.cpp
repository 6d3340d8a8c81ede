#include "engine/fused/plan.h"

namespace mnist_dist::fused {
namespace {

/// Tiles are four columns wide and their transforms cost as much as a few channels' products, so
/// narrow or shallow layers gain nothing.
bool wide_enough(const LayerShape& shape) {
  return shape.out_side >= 16 && shape.in_channels >= 4 && shape.out_channels >= 4;
}

}  // namespace

std::vector<LayerPlan> make_plan(const ModelSpec& model) {
  const auto shapes = layer_shapes(model);
  const FlatLayout layout = flat_layout(model);
  std::vector<LayerPlan> plan;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    LayerPlan layer;
    layer.index = static_cast<int>(i);
    layer.layer = model.layers[i];
    layer.shape = shapes[i];
    layer.dropout = dropout_rule(layer.layer.dropout);
    if (layer.layer.depthwise)
      layer.algorithm = Algorithm::depthwise;
    else if (has_weights(layer.layer.kind) && layer.shape.kernel == 3 && wide_enough(layer.shape))
      layer.algorithm = Algorithm::winograd;
    plan.push_back(layer);
  }
  for (const ParameterTensor& tensor : layout.parameters) {
    LayerPlan& layer = plan[static_cast<std::size_t>(tensor.layer)];
    switch (tensor.kind) {
      case ParameterKind::weight:
        layer.weight = tensor.offset;
        break;
      case ParameterKind::bias:
        layer.bias = tensor.offset;
        break;
      case ParameterKind::gamma:
        layer.gamma = tensor.offset;
        break;
      case ParameterKind::beta:
        layer.beta = tensor.offset;
        break;
    }
  }
  for (const NormTensor& norm : layout.norms)
    plan[static_cast<std::size_t>(norm.layer)].norm = norm.offset;
  return plan;
}

}  // namespace mnist_dist::fused
