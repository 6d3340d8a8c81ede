#include "engine/torch/network.h"

#include <algorithm>

namespace mnist_dist {
namespace {

/// LibTorch has no tensors of const memory. Only training's norm statistics and gradients are
/// written to, and their memory is not const.
at::Tensor view(std::span<const float> values, at::IntArrayRef shape,
                const at::TensorOptions& options) {
  return at::from_blob(const_cast<float*>(values.data()), shape, options);
}

}  // namespace

std::vector<at::Tensor> parameter_views(const FlatLayout& layout, std::span<const float> flat,
                                        const at::TensorOptions& options) {
  std::vector<at::Tensor> views;
  views.reserve(layout.parameters.size());
  for (const ParameterTensor& tensor : layout.parameters) {
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    views.push_back(view(flat.subspan(tensor.offset, tensor.size), shape, options));
  }
  return views;
}

TensorViews tensor_views(const FlatLayout& layout, std::span<const float> parameters,
                         std::span<const float> norm_statistics, const at::TensorOptions& options) {
  TensorViews views;
  views.parameters = parameter_views(layout, parameters, options);
  for (const NormTensor& norm : layout.norms) {
    const auto channels = static_cast<std::size_t>(norm.channels);
    views.means.push_back(
        view(norm_statistics.subspan(norm.offset, channels), {norm.channels}, options));
    views.variances.push_back(
        view(norm_statistics.subspan(norm.offset + channels, channels), {norm.channels}, options));
  }
  return views;
}

void classify(const at::Tensor& logits, std::span<ClassIndex> classes) {
  const at::Tensor rows = logits.contiguous();
  const float* row = rows.data_ptr<float>();
  const std::int64_t count = rows.size(1);
  for (ClassIndex& chosen : classes) {
    chosen = static_cast<ClassIndex>(std::max_element(row, row + count) - row);
    row += count;
  }
}

Network::Network(const ModelSpec& model) : layout_(flat_layout(model)) {
  const std::vector<LayerShape> shapes = layer_shapes(model);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    layers_.push_back({.layer = model.layers[i], .shape = shapes[i]});
  for (int i = 0; const ParameterTensor& tensor : layout_.parameters) {
    Entry& entry = layers_[static_cast<std::size_t>(tensor.layer)];
    entry.parameters[static_cast<std::size_t>(tensor.kind)] = i++;
  }
  for (int i = 0; const NormTensor& norm : layout_.norms)
    layers_[static_cast<std::size_t>(norm.layer)].norm = i++;
}

at::Tensor Network::layer(int index, at::Tensor x, const TensorViews& views,
                          const at::Tensor& dropout, bool training, int slices) const {
  const Entry& entry = layers_[static_cast<std::size_t>(index)];
  const auto parameter = [&](ParameterKind kind) {
    const int i = entry.parameters[static_cast<std::size_t>(kind)];
    return i < 0 ? at::Tensor() : views.parameters[static_cast<std::size_t>(i)];
  };
  switch (entry.layer.kind) {
    case LayerKind::convolution:
    case LayerKind::linear:
      x = at::conv2d(x, parameter(ParameterKind::weight), parameter(ParameterKind::bias), 1,
                     entry.layer.padding, 1, entry.shape.in_channels / entry.shape.kernel_channels);
      break;
    case LayerKind::max_pool:
    case LayerKind::global_max:
      x = at::max_pool2d(x, entry.shape.kernel, entry.shape.kernel);
      break;  // amax would share a tie's gradient
    case LayerKind::global_average:
      x = x.mean({2, 3}, true);
      break;
  }
  if (entry.layer.relu) x.relu_();
  if (entry.norm >= 0) {
    const auto norm = static_cast<std::size_t>(entry.norm);
    at::Tensor gamma = parameter(ParameterKind::gamma), beta = parameter(ParameterKind::beta);
    const std::vector<std::int64_t> shape = x.sizes().vec();
    if (slices > 1) {  // a slice's channels become channels of their own
      x = x.view({shape[0] / slices, slices * shape[1], shape[2], shape[3]});
      gamma = gamma.repeat({slices});
      beta = beta.repeat({slices});
    }
    // With momentum 1 the running statistics become this slice's: its mean and unbiased variance.
    x = at::batch_norm(x, gamma, beta, views.means[norm], views.variances[norm], training, 1.0,
                       norm_epsilon, false);
    if (slices > 1) x = x.view(shape);
  }
  // In place only where backward does not need the overwritten values (ReLU's backward reads its
  // output), and not in a view of a different tensor.
  if (dropout.defined()) x = entry.norm >= 0 && slices == 1 ? x.mul_(dropout) : x.mul(dropout);
  return x;
}

}  // namespace mnist_dist
