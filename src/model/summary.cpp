#include "model/summary.h"

#include <fmt/format.h>

#include <string_view>

namespace mnist_dist {

std::string layer_description(const Layer& layer, const LayerShape& shape) {
  const auto sized = [&](std::string_view what) {
    return fmt::format("{0}x{0} {1}", shape.kernel, what);
  };
  std::string text;
  switch (layer.kind) {
    case LayerKind::convolution:
      text = sized(layer.depthwise ? "depthwise conv" : fmt::format("conv to {}", layer.channels));
      break;
    case LayerKind::linear:
      text = fmt::format("linear to {}", layer.channels);
      break;
    case LayerKind::max_pool:
      text = sized("max-pool");
      break;
    case LayerKind::global_average:
      text = "global average";
      break;
    case LayerKind::global_max:
      text = "global max";
      break;
  }
  if (layer.padding > 0) text += fmt::format(", padding {}", layer.padding);
  if (layer.bias) text += ", bias";
  if (layer.relu) text += ", ReLU";
  if (layer.norm) text += ", batch norm";
  if (layer.dropout > 0) text += fmt::format(", dropout {}", layer.dropout);
  return text;
}

}  // namespace mnist_dist
