#include "export/exported_model.h"

#include <fmt/format.h>

#include "model/layout.h"

namespace mnist_dist {
namespace {

std::string kind_name(LayerKind kind) {
  if (kind == LayerKind::convolution) return "conv";
  return kind == LayerKind::linear ? "linear" : "pool";
}

OperationKind pool_kind(LayerKind kind) {
  if (kind == LayerKind::max_pool) return OperationKind::max_pool;
  return kind == LayerKind::global_max ? OperationKind::global_max : OperationKind::global_average;
}

std::vector<float> copy(std::span<const float> values, std::size_t offset, std::size_t size) {
  const auto part = values.subspan(offset, size);
  return {part.begin(), part.end()};
}

/// The parameter tensor of a layer. Empty when the layer has none of this kind.
std::vector<float> tensor_of(const FlatLayout& layout, int layer, ParameterKind kind,
                             std::span<const float> parameters) {
  for (const ParameterTensor& tensor : layout.parameters)
    if (tensor.layer == layer && tensor.kind == kind)
      return copy(parameters, tensor.offset, tensor.size);
  return {};
}

}  // namespace

std::vector<Operation> operations_of(const ModelSpec& model, std::span<const float> parameters,
                                     std::span<const float> norm_statistics) {
  const FlatLayout layout = flat_layout(model);
  const std::vector<LayerShape> shapes = layer_shapes(model);
  std::vector<Operation> operations;
  std::size_t norm = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = model.layers[i];
    const LayerShape& shape = shapes[i];
    const int index = static_cast<int>(i);
    const auto add = [&](OperationKind kind, const std::string& name) -> Operation& {
      Operation& operation = operations.emplace_back();
      operation.kind = kind;
      operation.name = fmt::format("{}{}", name, i + 1);
      operation.channels = shape.out_channels;
      operation.kernel = shape.kernel;
      return operation;
    };
    if (has_weights(layer.kind)) {
      Operation& convolution = add(OperationKind::convolution, kind_name(layer.kind));
      convolution.in_channels = shape.in_channels;
      convolution.padding = layer.padding;
      convolution.groups = shape.in_channels / shape.kernel_channels;
      convolution.weight = tensor_of(layout, index, ParameterKind::weight, parameters);
      convolution.bias = tensor_of(layout, index, ParameterKind::bias, parameters);
    } else {
      add(pool_kind(layer.kind), kind_name(layer.kind));
    }
    if (layer.relu) add(OperationKind::relu, "relu");
    if (layer.norm) {
      Operation& operation = add(OperationKind::norm, "norm");
      const std::size_t offset = layout.norms[norm++].offset;
      const auto channels = static_cast<std::size_t>(shape.out_channels);
      operation.gamma = tensor_of(layout, index, ParameterKind::gamma, parameters);
      operation.beta = tensor_of(layout, index, ParameterKind::beta, parameters);
      operation.mean = copy(norm_statistics, offset, channels);
      operation.variance = copy(norm_statistics, offset + channels, channels);
    }
    if (layer.dropout > 0) add(OperationKind::dropout, "dropout").dropout = layer.dropout;
  }
  return operations;
}

std::vector<NamedTensor> state_dict(const ExportedModel& model) {
  std::vector<NamedTensor> tensors{{"mean", {}, {model.normalisation.mean}},
                                   {"sd", {}, {model.normalisation.sd}}};
  for (const Operation& operation : model.operations) {
    const auto add = [&](const char* name, std::vector<int> shape,
                         const std::vector<float>& values) {
      if (!values.empty()) tensors.push_back({operation.name + name, std::move(shape), values});
    };
    const int channels = operation.channels, kernel = operation.kernel;
    if (operation.kind == OperationKind::convolution) {
      const int inputs = operation.in_channels / operation.groups;
      add(".weight", {channels, inputs, kernel, kernel}, operation.weight);
      add(".bias", {channels}, operation.bias);
    } else if (operation.kind == OperationKind::norm) {
      add(".weight", {channels}, operation.gamma);
      add(".bias", {channels}, operation.beta);
      add(".running_mean", {channels}, operation.mean);
      add(".running_var", {channels}, operation.variance);
    }
  }
  return tensors;
}

}  // namespace mnist_dist
