#include "model/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <utility>

#include "base/random.h"

namespace mnist_dist {

FlatLayout flat_layout(const ModelSpec& model) {
  FlatLayout layout;
  const auto shapes = layer_shapes(model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = model.layers[i];
    const LayerShape& shape = shapes[i];
    const int fan_in = shape.kernel_channels * shape.kernel * shape.kernel;
    const auto add = [&](ParameterKind kind, const char* name, std::vector<int> extents) {
      std::size_t size = 1;
      for (const int extent : extents) size *= static_cast<std::size_t>(extent);
      layout.parameters.push_back({fmt::format("layer{}.{}", i + 1, name), static_cast<int>(i),
                                   kind, std::move(extents), layout.parameter_count, size, fan_in});
      layout.parameter_count += size;
    };
    if (has_weights(layer.kind))
      add(ParameterKind::weight, "weight",
          {shape.out_channels, shape.kernel_channels, shape.kernel, shape.kernel});
    if (layer.bias) add(ParameterKind::bias, "bias", {shape.out_channels});
    if (layer.norm) {
      add(ParameterKind::gamma, "gamma", {shape.out_channels});
      add(ParameterKind::beta, "beta", {shape.out_channels});
      layout.norms.push_back({static_cast<int>(i), shape.out_channels, layout.norm_count});
      layout.norm_count += 2 * static_cast<std::size_t>(shape.out_channels);
    }
  }
  return layout;
}

std::string layout_json(const FlatLayout& layout) {
  std::vector<std::string> tensors;
  const auto add = [&](const std::string& name, const char* vector, std::size_t offset,
                       const std::vector<int>& shape) {
    tensors.push_back(
        fmt::format(R"({{"name": "{}", "vector": "{}", "offset": {}, "shape": [{}]}})", name,
                    vector, offset, fmt::join(shape, ", ")));
  };
  for (const ParameterTensor& tensor : layout.parameters)
    add(tensor.name, "parameters", tensor.offset, tensor.shape);
  for (const NormTensor& norm : layout.norms) {
    const std::string layer = fmt::format("layer{}.", norm.layer + 1);
    const auto channels = static_cast<std::size_t>(norm.channels);
    add(layer + "mean", "norm_statistics", norm.offset, {norm.channels});
    add(layer + "variance", "norm_statistics", norm.offset + channels, {norm.channels});
  }
  return fmt::format("[{}]", fmt::join(tensors, ", "));
}

std::vector<float> initial_parameters(const FlatLayout& layout, std::uint64_t seed) {
  std::vector<float> values(layout.parameter_count, 0.0f);
  for (std::size_t index = 0; index < layout.parameters.size(); ++index) {
    const ParameterTensor& tensor = layout.parameters[index];
    float* const first = values.data() + tensor.offset;
    if (tensor.kind == ParameterKind::weight || tensor.kind == ParameterKind::bias) {
      const auto bound = static_cast<float>(1 / std::sqrt(static_cast<double>(tensor.fan_in)));
      Stream draws({.seed = seed,
                    .purpose = Purpose::initial_weights,
                    .row = static_cast<std::uint32_t>(index)});
      for (std::size_t i = 0; i < tensor.size; ++i) first[i] = draws.uniform(-bound, bound);
    } else if (tensor.kind == ParameterKind::gamma) {
      for (std::size_t i = 0; i < tensor.size; ++i) first[i] = 1;
    }
  }
  return values;
}

std::vector<float> initial_norm_statistics(const FlatLayout& layout) {
  std::vector<float> values(layout.norm_count, 0.0f);
  for (const NormTensor& norm : layout.norms)
    for (int c = 0; c < norm.channels; ++c)
      values[norm.offset + static_cast<std::size_t>(norm.channels + c)] = 1;
  return values;
}

}  // namespace mnist_dist
