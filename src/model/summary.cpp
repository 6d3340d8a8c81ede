#include "model/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/grouped.h"

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

std::string summary_table(const ModelSpec& model) {
  const auto shapes = layer_shapes(model);
  std::vector<std::string> descriptions;
  std::size_t width = 0, parameters = 0, macs = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    width = std::max(
        width, descriptions.emplace_back(layer_description(model.layers[i], shapes[i])).size());
    parameters += shapes[i].parameters;
    macs += shapes[i].macs;
  }
  std::string out;
  const auto line = [&](auto number, std::string_view what, std::string_view shape,
                        std::string_view parameter_text, std::string_view mac_text, auto field,
                        auto jump) {
    out += fmt::format("{:>2}  {:<{}}  {:<12}  {:>10}  {:>12}  {:>15}  {:>4}\n", number, what,
                       width, shape, parameter_text, mac_text, field, jump);
  };
  line("#", "layer", "output", "parameters", "MACs", "receptive field", "jump");
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const LayerShape& s = shapes[i];
    line(i + 1, descriptions[i],
         fmt::format("[{}][{}][{}]", s.out_channels, s.out_side, s.out_side), grouped(s.parameters),
         grouped(s.macs), s.receptive_field, s.jump);
  }
  line("", "total", "", grouped(parameters), grouped(macs), shapes.back().receptive_field,
       shapes.back().jump);
  return out;
}

}  // namespace mnist_dist
