#include "model/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mnist_dist {
namespace {

using ::testing::ElementsAre;

ModelSpec small_model() {
  return {"small",
          {{.channels = 2, .bias = true, .norm = true},
           {.kind = LayerKind::max_pool, .kernel = 2},
           {.channels = 3, .kernel = 1, .norm = true},
           {.kind = LayerKind::linear, .channels = 10, .bias = true}}};
}

TEST(Layout, TensorsLieInOrderWithoutGaps) {
  const FlatLayout layout = flat_layout(small_model());
  std::vector<std::string> names;
  std::size_t next = 0;
  for (const auto& tensor : layout.parameters) {
    names.push_back(tensor.name);
    EXPECT_EQ(tensor.offset, next) << tensor.name;
    std::size_t size = 1;
    for (const int extent : tensor.shape) size *= static_cast<std::size_t>(extent);
    EXPECT_EQ(tensor.size, size) << tensor.name;
    next += tensor.size;
  }
  EXPECT_THAT(names, ElementsAre("layer1.weight", "layer1.bias", "layer1.gamma", "layer1.beta",
                                 "layer3.weight", "layer3.gamma", "layer3.beta", "layer4.weight",
                                 "layer4.bias"));
  EXPECT_EQ(next, layout.parameter_count);
  EXPECT_EQ(layout.parameter_count, parameter_count(small_model()));
  EXPECT_THAT(layout.parameters[7].shape, ElementsAre(10, 3, 13, 13));
  EXPECT_EQ(layout.parameters[7].fan_in, 3 * 13 * 13);
  EXPECT_EQ(layout.parameters[8].fan_in, 3 * 13 * 13);
  EXPECT_EQ(layout.parameters[7].layer, 3);
}

TEST(Layout, ADepthwiseWeightIsPyTorchsWithAsManyGroupsAsChannels) {
  const ModelSpec model{"m",
                        {{.channels = 6},
                         {.channels = 6, .depthwise = true, .kernel = 5, .bias = true},
                         {.kind = LayerKind::linear, .channels = 10}}};
  const FlatLayout layout = flat_layout(model);
  EXPECT_THAT(layout.parameters[1].shape, ElementsAre(6, 1, 5, 5));
  EXPECT_EQ(layout.parameters[1].fan_in, 25);
  EXPECT_EQ(layout.parameters[2].fan_in, 25);  // the bias
  EXPECT_EQ(layout.parameters[3].offset, 6u * 9 + 6 * 25 + 6);
  EXPECT_EQ(layout.parameter_count, parameter_count(model));
}

TEST(Layout, VectorsHaveTheirCountersAndFillCacheLines) {
  const FlatLayout layout = flat_layout(small_model());
  ASSERT_EQ(layout.norms.size(), 2u);
  EXPECT_EQ(layout.norms[1].layer, 2);
  EXPECT_EQ(layout.norms[1].offset, 4u);  // after mean[2], var[2]
  EXPECT_EQ(layout.norm_count, 10u);
  EXPECT_EQ(layout.images(), layout.parameter_count + 10);
  EXPECT_EQ(layout.size(), layout.stop() + 1);
  EXPECT_EQ(layout.stride() % 16, 0u);
  EXPECT_GE(layout.stride(), layout.size());
  EXPECT_LT(layout.stride() - layout.size(), 16u);
  EXPECT_THAT(initial_norm_statistics(layout), ElementsAre(0, 0, 1, 1, 0, 0, 0, 1, 1, 1));
}

TEST(InitialParameters, AreUniformWithinTheirFanIn) {
  const FlatLayout layout = flat_layout(small_model());
  const auto values = initial_parameters(layout, 5);
  ASSERT_EQ(values.size(), layout.parameter_count);
  for (const auto& tensor : layout.parameters) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(tensor.offset);
    const std::vector<float> own(first, first + static_cast<std::ptrdiff_t>(tensor.size));
    if (tensor.kind == ParameterKind::gamma || tensor.kind == ParameterKind::beta) {
      EXPECT_THAT(own, ::testing::Each(tensor.kind == ParameterKind::gamma ? 1.0f : 0.0f))
          << tensor.name;
      continue;
    }
    const double bound = 1 / std::sqrt(tensor.fan_in);
    double sum = 0, squares = 0;
    for (const float value : own) {
      EXPECT_LE(std::abs(value), bound * 1.000001) << tensor.name;
      sum += value, squares += static_cast<double>(value) * value;
    }
    if (own.size() < 1000) continue;
    const auto n = static_cast<double>(own.size());
    EXPECT_NEAR(sum / n, 0, 5 * bound / std::sqrt(3 * n)) << tensor.name;
    EXPECT_NEAR(squares / n, bound * bound / 3, 5 * bound * bound * 0.2981 / std::sqrt(n))
        << tensor.name;  // sd of u^2 is 0.2981
  }
}

TEST(InitialParameters, DependOnTheSeedAlone) {
  const FlatLayout layout = flat_layout(small_model());
  EXPECT_EQ(initial_parameters(layout, 5), initial_parameters(layout, 5));
  EXPECT_NE(initial_parameters(layout, 5), initial_parameters(layout, 6));
}

TEST(InitialParameters, OfTwoTensorsDiffer) {
  const ModelSpec twins{"twins",
                        {{.channels = 10, .kernel = 1},
                         {.channels = 10, .kernel = 1},
                         {.channels = 10, .kernel = 1},
                         {.kind = LayerKind::global_max}}};
  const FlatLayout layout = flat_layout(twins);
  const auto values = initial_parameters(layout, 1);
  EXPECT_FALSE(std::equal(values.begin() + 10, values.begin() + 110, values.begin() + 110));
}

TEST(Layout, AsJson) {
  ModelSpec model;
  model.layers = {{.channels = 10, .kernel = 28, .norm = true}};
  EXPECT_EQ(layout_json(flat_layout(model)),
            R"([{"name": "layer1.weight", "vector": "parameters", "offset": 0, )"
            R"("shape": [10, 1, 28, 28]}, )"
            R"({"name": "layer1.gamma", "vector": "parameters", "offset": 7840, "shape": [10]}, )"
            R"({"name": "layer1.beta", "vector": "parameters", "offset": 7850, "shape": [10]}, )"
            R"({"name": "layer1.mean", "vector": "norm_statistics", "offset": 0, "shape": [10]}, )"
            R"({"name": "layer1.variance", "vector": "norm_statistics", "offset": 10, )"
            R"("shape": [10]}])");
}

}  // namespace
}  // namespace mnist_dist
