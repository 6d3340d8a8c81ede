#include <gmock/gmock.h>

#include "export/exported_model.h"
#include "model/layout.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;

/// A norm of one channel that computes 2 x + 1.
Operation twice_plus_one(int channels) {
  Operation norm;
  norm.kind = OperationKind::norm;
  norm.name = "norm1";
  norm.channels = channels;
  const auto count = static_cast<std::size_t>(channels);
  norm.gamma.assign(count, 2);
  norm.beta.assign(count, 1);
  norm.mean.assign(count, 0);
  norm.variance.assign(count, static_cast<float>(1 - norm_epsilon));
  return norm;
}

Operation convolution(const std::string& name, std::vector<float> weight, int kernel, int padding) {
  Operation operation;
  operation.name = name;
  operation.channels = operation.in_channels = 1;
  operation.kernel = kernel;
  operation.padding = padding;
  operation.weight = std::move(weight);
  return operation;
}

Operation simple(OperationKind kind, const std::string& name) {
  Operation operation;
  operation.kind = kind;
  operation.name = name;
  operation.channels = 1;
  operation.kernel = 2;
  return operation;
}

std::vector<std::string> names(const std::vector<Operation>& operations) {
  std::vector<std::string> names;
  for (const Operation& operation : operations) names.push_back(operation.name);
  return names;
}

TEST(Fold, IntoTheConvolutionBeforeIt) {
  const auto out = folded({convolution("conv1", {3}, 1, 0), twice_plus_one(1)});
  EXPECT_THAT(names(out), ElementsAre("conv1"));
  EXPECT_THAT(out[0].weight, ElementsAre(6));
  EXPECT_THAT(out[0].bias, ElementsAre(1));
}

TEST(Fold, PastReluAndPoolsIntoTheNextConvolution) {
  const auto out =
      folded({convolution("conv1", {1}, 1, 0), simple(OperationKind::relu, "relu1"),
              twice_plus_one(1), simple(OperationKind::dropout, "dropout1"),
              simple(OperationKind::max_pool, "pool2"), convolution("conv3", {1, 2, 3, 4}, 2, 0)});
  EXPECT_THAT(names(out), ElementsAre("conv1", "relu1", "pool2", "conv3"));
  EXPECT_THAT(out[3].weight, ElementsAre(2, 4, 6, 8));
  EXPECT_THAT(out[3].bias, ElementsAre(10));
}

TEST(Fold, NotIntoPadding) {
  const auto out = folded({simple(OperationKind::relu, "relu1"), twice_plus_one(1),
                           convolution("conv2", std::vector<float>(9, 1), 3, 1)});
  EXPECT_THAT(names(out), ElementsAre("relu1", "norm1", "conv2"));
  EXPECT_EQ(out[1].kind, OperationKind::convolution);
  EXPECT_THAT(out[1].weight, ElementsAre(2));
  EXPECT_THAT(out[1].bias, ElementsAre(1));
  EXPECT_TRUE(out[2].bias.empty());
}

TEST(Fold, NotPastAMaximumThatANegativeScaleTurnsRound) {
  Operation norm = twice_plus_one(1);
  norm.gamma = {-2};
  for (const OperationKind pool : {OperationKind::max_pool, OperationKind::global_max})
    EXPECT_THAT(names(folded({simple(OperationKind::relu, "relu1"), norm, simple(pool, "pool2")})),
                ElementsAre("relu1", "norm1", "pool2"));
  EXPECT_THAT(names(folded({simple(OperationKind::relu, "relu1"), norm,
                            simple(OperationKind::global_average, "pool2"),
                            convolution("conv3", {1}, 1, 0)})),
              ElementsAre("relu1", "pool2", "conv3"));
}

TEST(Fold, DepthwiseWeightsTakeTheScaleOfTheirOwnChannel) {
  Operation norm = twice_plus_one(2);
  norm.gamma = {2, 3};
  Operation depthwise = convolution("conv2", {1, 1}, 1, 0);
  depthwise.channels = depthwise.in_channels = depthwise.groups = 2;
  const auto out = folded({simple(OperationKind::relu, "relu1"), norm, depthwise});
  EXPECT_THAT(out.back().weight, ElementsAre(2, 3));
  EXPECT_THAT(out.back().bias, ElementsAre(1, 1));
}

TEST(Operations, NamesAreThoseOfTheRecipesLayers) {
  ModelSpec model;
  model.layers = {{.channels = 4, .relu = true, .norm = true},
                  {.kind = LayerKind::global_average},
                  {.kind = LayerKind::linear, .channels = 10, .bias = true}};
  const FlatLayout layout = flat_layout(model);
  ExportedModel exported;
  exported.operations =
      operations_of(model, initial_parameters(layout, 1), initial_norm_statistics(layout));
  EXPECT_THAT(names(exported.operations),
              ElementsAre("conv1", "relu1", "norm1", "pool2", "linear3"));
  std::vector<std::string> tensors;
  for (const NamedTensor& tensor : state_dict(exported)) tensors.push_back(tensor.name);
  EXPECT_THAT(tensors, ElementsAre("mean", "sd", "conv1.weight", "norm1.weight", "norm1.bias",
                                   "norm1.running_mean", "norm1.running_var", "linear3.weight",
                                   "linear3.bias"));
}

}  // namespace
}  // namespace mnist_dist
