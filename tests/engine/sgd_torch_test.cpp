#include <gtest/gtest.h>
#include <torch/torch.h>

#include "base/random.h"
#include "engine/update.h"

namespace mnist_dist {
namespace {

/// 50 steps of the flat optimiser and of torch::optim::SGD, given the same gradients.
void compare(const OptimizerConfig& optimizer) {
  const ModelSpec model{.name = "",
                        .layers = {{.channels = 7, .kernel = 5, .bias = true, .norm = true},
                                   {.kind = LayerKind::linear, .channels = 10}}};
  const FlatLayout layout = flat_layout(model);
  TrainState state;
  state.parameters = initial_parameters(layout, 1);
  state.norm_statistics = initial_norm_statistics(layout);
  state.momentum.assign(layout.parameter_count, 0.0f);

  std::vector<torch::Tensor> decayed, others, all;
  for (const ParameterTensor& tensor : layout.parameters) {
    all.push_back(torch::from_blob(state.parameters.data() + tensor.offset,
                                   {static_cast<std::int64_t>(tensor.size)})
                      .clone()
                      .requires_grad_());
    (tensor.kind == ParameterKind::weight || optimizer.decay_norm ? decayed : others)
        .push_back(all.back());
  }
  const auto options = [&](double decay) {
    return std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(0.1)
                                                          .momentum(optimizer.momentum)
                                                          .nesterov(optimizer.nesterov)
                                                          .weight_decay(decay));
  };
  torch::optim::SGD sgd(
      {torch::optim::OptimizerParamGroup(decayed, options(optimizer.weight_decay)),
       torch::optim::OptimizerParamGroup(others, options(0))},
      torch::optim::SGDOptions(0.1));

  const Update update(layout, optimizer, {});
  Stream draws({.seed = 5, .purpose = Purpose::synthetic});
  std::vector<float> total(layout.size(), 0.0f);
  total[layout.images()] = 48;
  for (int step = 0; step < 50; ++step) {
    for (std::size_t i = 0; i < layout.parameter_count; ++i) total[i] = draws.uniform(-10, 10);
    const float rate = 0.1f / static_cast<float>(1 + step);
    update.apply(total, rate, state);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const ParameterTensor& tensor = layout.parameters[i];
      all[i].mutable_grad() =
          torch::from_blob(total.data() + tensor.offset, {static_cast<std::int64_t>(tensor.size)}) /
          48.0f;
    }
    for (auto& group : sgd.param_groups()) group.options().set_lr(static_cast<double>(rate));
    sgd.step();
  }

  // LibTorch's baseline kernels have no fused multiply-add and round twice.
  const bool fused = at::show_config().find("CPU capability usage: AVX") != std::string::npos;
  for (std::size_t t = 0; t < all.size(); ++t)
    for (std::size_t i = 0; i < layout.parameters[t].size; ++i) {
      const float ours = state.parameters[layout.parameters[t].offset + i],
                  theirs = all[t].data_ptr<float>()[i];
      if (fused)
        ASSERT_EQ(ours, theirs) << layout.parameters[t].name << " element " << i;
      else
        ASSERT_NEAR(ours, theirs, 1e-6) << layout.parameters[t].name << " element " << i;
    }
}

TEST(SgdAgainstTorch, Plain) { compare({.momentum = 0}); }
TEST(SgdAgainstTorch, Momentum) { compare({.momentum = 0.9}); }
TEST(SgdAgainstTorch, Nesterov) { compare({.momentum = 0.9, .nesterov = true}); }
TEST(SgdAgainstTorch, WeightDecay) { compare({.momentum = 0.9, .weight_decay = 5e-4}); }
TEST(SgdAgainstTorch, NesterovAndDecayOfAll) {
  compare({.momentum = 0.85, .nesterov = true, .weight_decay = 1e-2, .decay_norm = true});
}

}  // namespace
}  // namespace mnist_dist
