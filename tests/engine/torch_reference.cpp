#include "torch_reference.h"

#include <torch/torch.h>

namespace mnist_dist {
namespace {

torch::Tensor dropout_factors(const EngineOptions& options, const Slice& slice, int index,
                              const torch::Tensor& like) {
  const DropoutRule rule =
      dropout_rule(options.config.model.layers[static_cast<std::size_t>(index)].dropout);
  torch::Tensor factors = torch::zeros_like(like);
  for (int n = 0; n < slice.count(); ++n) {
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(like[n].numel()));
    dropout_mask(rule, options.config.train.seed, slice.rows[static_cast<std::size_t>(n)],
                 slice.epoch, static_cast<std::uint32_t>(index), mask);
    const torch::Tensor dropped =
        torch::from_blob(mask.data(), like[n].sizes(), torch::kByte).to(torch::kDouble);
    factors[n] = (1 - dropped) * (65536.0 / (65536.0 - rule.threshold));
  }
  return factors;
}

void append(std::vector<double>& values, const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().contiguous();
  values.insert(values.end(), flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
}

}  // namespace

ReferenceResult torch_reference(const EngineOptions& options, const Slice& slice,
                                std::span<const double> parameters) {
  const FlatLayout layout = flat_layout(options.config.model);
  std::vector<torch::Tensor> tensors;
  for (const ParameterTensor& tensor : layout.parameters) {
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    tensors.push_back(torch::from_blob(const_cast<double*>(parameters.data()) + tensor.offset,
                                       shape, torch::kDouble)
                          .clone()
                          .requires_grad_());
  }
  const auto tensor_of = [&](int layer, ParameterKind kind) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (layout.parameters[i].layer == layer && layout.parameters[i].kind == kind)
        return tensors[i];
    return torch::Tensor();
  };

  const ModelSpec& model = options.config.model;
  const int side = model.side;
  torch::Tensor x = torch::empty({slice.count(), 1, side, side}, torch::kDouble);
  for (int n = 0; n < slice.count(); ++n) {
    std::vector<float> image(static_cast<std::size_t>(model.pixels()));
    const auto i = static_cast<std::size_t>(n);
    augment_image({slice.images[i], image.size()}, options.config.augment, options.normalisation,
                  options.config.train.seed, slice.rows[i], slice.epoch, image, side);
    x[n][0] = torch::from_blob(image.data(), {side, side}).to(torch::kDouble);
  }

  ReferenceResult result;
  for (int index = 0; const Layer& layer : model.layers) {
    if (layer.kind == LayerKind::convolution)
      x = torch::conv2d(x, tensor_of(index, ParameterKind::weight),
                        tensor_of(index, ParameterKind::bias), 1, layer.padding, 1,
                        layer.depthwise ? x.size(1) : 1);
    if (layer.kind == LayerKind::linear) {
      x = x.flatten(1).matmul(tensor_of(index, ParameterKind::weight).flatten(1).t());
      if (layer.bias) x = x + tensor_of(index, ParameterKind::bias);
      x = x.unsqueeze(2).unsqueeze(3);
    }
    if (layer.kind == LayerKind::max_pool) x = torch::max_pool2d(x, layer.kernel);
    if (layer.kind == LayerKind::global_average)
      x = x.sum({2, 3}, true) / static_cast<double>(x.size(2) * x.size(3));
    if (layer.kind == LayerKind::global_max)
      x = std::get<0>(x.flatten(2).max(2, true)).unsqueeze(3);
    if (layer.relu) x = x * (x > 0);
    if (layer.norm) {
      const auto values = static_cast<double>(x.size(0) * x.size(2) * x.size(3));
      const torch::Tensor mean = x.mean({0, 2, 3}, true);
      const torch::Tensor variance = (x - mean).square().mean({0, 2, 3}, true);
      append(result.means, mean);
      append(result.variances, variance * values / (values - 1));
      const auto per_channel = [&](ParameterKind kind) {
        return tensor_of(index, kind).view({1, -1, 1, 1});
      };
      x = (x - mean) / (variance + 1e-5).sqrt() * per_channel(ParameterKind::gamma) +
          per_channel(ParameterKind::beta);
    }
    if (layer.dropout > 0) x = x * dropout_factors(options, slice, index, x.detach());
    ++index;
  }

  const torch::Tensor logits = x.flatten(1);
  const torch::Tensor log_probability = logits - logits.exp().sum(1, true).log();
  const double smoothing = options.config.train.label_smoothing;
  torch::Tensor target = torch::full_like(logits.detach(), smoothing / model.classes);
  for (int n = 0; n < slice.count(); ++n)
    target[n][slice.labels[static_cast<std::size_t>(n)]] += 1 - smoothing;
  const torch::Tensor loss = -(target * log_probability).sum();
  loss.backward();
  result.loss = loss.item<double>();
  for (const torch::Tensor& tensor : tensors) append(result.gradient, tensor.grad());
  return result;
}

}  // namespace mnist_dist
