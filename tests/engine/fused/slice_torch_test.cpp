// One slice through the fused engine on every SIMD target and through the reference engine: same
// images, same dropout masks.
#include <gtest/gtest.h>

#include <set>

#include "engine/fused/agreement.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/plan.h"
#include "engine/fused/test_models.h"
#include "engine/torch/torch_worker.h"

namespace mnist_dist {
namespace {

constexpr std::uint32_t kRandomModels = 10;

ReferenceResult as_wanted(const FlatLayout& layout, std::span<const float> flat) {
  const auto wide = [&](std::size_t first, std::size_t count) {
    const auto part = flat.subspan(first, count);
    return std::vector<double>(part.begin(), part.end());
  };
  ReferenceResult result;
  result.gradient = wide(0, layout.parameter_count);
  result.norm_statistics = wide(layout.parameter_count, layout.norm_count);
  result.loss = static_cast<double>(flat[layout.loss()]);
  result.correct = static_cast<int>(flat[layout.correct()]);
  return result;
}

void expect_same_slice(const ModelSpec& model, int count) {
  const EngineOptions options = slice_options(model, count);
  const auto parameters = test_parameters(model);
  const TestSlice test = make_decided_slice(options, count, parameters);
  const auto reference = reference_train(options.config, options.normalisation, test.slice(),
                                         std::vector<double>(parameters.begin(), parameters.end()));
  const auto wanted = as_wanted(flat_layout(model), train_slice(*make_torch_worker(options), model,
                                                                test.slice(), parameters));
  for (const std::string& target : fused_targets()) {
    SCOPED_TRACE(model.name + ", " + target);
    expect_agreement(
        model, train_slice(*make_fused_worker(options, target), model, test.slice(), parameters),
        wanted, reference);
  }
}

TEST(FusedAgainstTorchOnASlice, SeedsModels) {
  for (const ModelSpec& model : seed_models()) expect_same_slice(model, 16);
}

TEST(FusedAgainstTorchOnASlice, RandomModels) {
  for (std::uint32_t i = 0; i < kRandomModels; ++i) expect_same_slice(random_model(i), 5);
}

TEST(FusedAgainstTorchOnASlice, DepthwiseModels) {
  for (std::uint32_t i = 0; i < 6; ++i) expect_same_slice(depthwise_model(i), 5);
}

TEST(FusedAgainstTorchOnASlice, TheRandomModelsHaveEveryKindOfLayer) {
  std::set<LayerKind> kinds;
  std::set<fused::Algorithm> algorithms;
  bool bias = false, padding = false, without_norm = false, dropout = false, even_kernel = false,
       only_direct = false;
  for (std::uint32_t i = 0; i < kRandomModels; ++i) {
    const ModelSpec model = random_model(i);
    for (const fused::LayerPlan& plan : fused::make_plan(model)) {
      const Layer& layer = plan.layer;
      kinds.insert(layer.kind);
      algorithms.insert(plan.algorithm);
      bias |= layer.bias, padding |= layer.padding > 0, dropout |= layer.dropout > 0;
      without_norm |= layer.relu && !layer.norm;
      even_kernel |= layer.kind == LayerKind::convolution && layer.kernel % 2 == 0;
    }
    only_direct |= tolerance_of(model) == 3e-5;
  }
  EXPECT_EQ(kinds.size(), 5u);
  EXPECT_EQ(algorithms.size(), 2u);
  EXPECT_TRUE(bias && padding && without_norm && dropout && even_kernel && only_direct);
}

}  // namespace
}  // namespace mnist_dist
