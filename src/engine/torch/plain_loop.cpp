#include "engine/torch/plain_loop.h"

#include <torch/torch.h>

#include "engine/torch/torch_worker.h"

namespace mnist_dist {
namespace {

namespace nn = torch::nn;

nn::Sequential make_modules(const ModelSpec& model) {
  nn::Sequential modules;
  const std::vector<LayerShape> shapes = layer_shapes(model);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = model.layers[i];
    const LayerShape& shape = shapes[i];
    switch (layer.kind) {
      case LayerKind::convolution:
      case LayerKind::linear:
        modules->push_back(
            nn::Conv2d(nn::Conv2dOptions(shape.in_channels, shape.out_channels, shape.kernel)
                           .padding(layer.padding)
                           .groups(shape.in_channels / shape.kernel_channels)
                           .bias(layer.bias)));
        break;
      case LayerKind::max_pool:
        modules->push_back(nn::MaxPool2d(shape.kernel));
        break;
      case LayerKind::global_average:
        modules->push_back(nn::AdaptiveAvgPool2d(1));
        break;
      case LayerKind::global_max:
        modules->push_back(nn::AdaptiveMaxPool2d(1));
        break;
    }
    if (layer.relu) modules->push_back(nn::ReLU());
    if (layer.norm) modules->push_back(nn::BatchNorm2d(shape.out_channels));
    if (layer.dropout > 0) modules->push_back(nn::Dropout(layer.dropout));
  }
  return modules;
}

class PlainLoop final : public TrainingLoop {
 public:
  PlainLoop(const ModelSpec& model, const OptimizerConfig& optimizer, int slice)
      : slice_(slice),
        images_(torch::rand({slice * slices_on_hand, 1, model.side, model.side})),
        labels_(torch::randint(model.classes, {slice * slices_on_hand}, torch::kLong)),
        modules_(make_modules(model)),
        optimizer_(modules_->parameters(), torch::optim::SGDOptions(optimizer.learning_rate)
                                               .momentum(optimizer.momentum)
                                               .nesterov(optimizer.nesterov)
                                               .weight_decay(optimizer.weight_decay)) {}

  int train(int images) override {
    const int steps = (images + slice_ - 1) / slice_;
    for (int i = 0; i < steps; ++i) step(i % slices_on_hand);
    return steps * slice_;
  }

  int evaluate(int images) override {
    const torch::NoGradGuard no_gradients;
    modules_->eval();
    const int steps = (images + slice_ - 1) / slice_;
    for (int i = 0; i < steps; ++i) loss(i % slices_on_hand);
    modules_->train();
    return steps * slice_;
  }

 private:
  torch::Tensor loss(int index) {
    const torch::Tensor logits =
        modules_->forward(images_.narrow(0, index * slice_, slice_)).flatten(1);
    return torch::nll_loss(torch::log_softmax(logits, 1),
                           labels_.narrow(0, index * slice_, slice_));
  }
  void step(int index) {
    optimizer_.zero_grad();
    loss(index).backward();
    optimizer_.step();
  }

  static constexpr int slices_on_hand = 64;
  int slice_;
  torch::Tensor images_, labels_;
  nn::Sequential modules_;
  torch::optim::SGD optimizer_;
};

}  // namespace

std::unique_ptr<TrainingLoop> make_plain_loop(const ModelSpec& model,
                                              const OptimizerConfig& optimizer, int slice) {
  use_one_torch_thread();
  return std::make_unique<PlainLoop>(model, optimizer, slice);
}

}  // namespace mnist_dist
