#include "model/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "failures.h"

namespace mnist_dist {
namespace {

using ::testing::ElementsAre;

Layer conv(int channels, int kernel = 3, int padding = 0) {
  return {.channels = channels, .kernel = kernel, .padding = padding};
}
Layer depthwise(int channels, int kernel = 3, int padding = 0) {
  return {.channels = channels, .depthwise = true, .kernel = kernel, .padding = padding};
}
Layer pool(LayerKind kind, int kernel = 2) { return {.kind = kind, .kernel = kernel}; }
Layer linear(int outputs, bool bias = false) {
  return {.kind = LayerKind::linear, .channels = outputs, .bias = bias};
}

/// The error of layer_shapes for a model that cannot work.
std::string rejection(const ModelSpec& model) {
  return usage_failure([&] { layer_shapes(model); });
}

TEST(Spec, ShapesFollowTheWindows) {
  Layer wide = conv(6, 5, 2);
  wide.bias = wide.norm = true;
  const ModelSpec model{"m", {wide, pool(LayerKind::max_pool, 3), conv(4, 2), linear(10, true)}};
  const auto shapes = layer_shapes(model);
  ASSERT_EQ(shapes.size(), 4u);

  EXPECT_EQ(shapes[0].out_side, 28);  // padding 2 around a 5x5 kernel keeps the side
  EXPECT_EQ(shapes[0].parameters, 6u * 25 + 6 + 2 * 6);
  EXPECT_EQ(shapes[0].macs, 6u * 25 * 28 * 28);
  EXPECT_EQ(shapes[1].out_side, 9);  // 28 / 3, the rest is dropped
  EXPECT_EQ(shapes[1].out_channels, 6);
  EXPECT_EQ(shapes[1].parameters, 0u);
  EXPECT_EQ(shapes[2].out_side, 8);
  EXPECT_EQ(shapes[3].kernel, 8);  // linear: a kernel over its whole input
  EXPECT_EQ(shapes[3].in_channels, 4);
  EXPECT_EQ(shapes[3].out_side, 1);
  EXPECT_EQ(shapes[3].parameters, 10u * 4 * 64 + 10);
  EXPECT_EQ(shapes[3].macs, 10u * 4 * 64);
  EXPECT_EQ(parameter_count(model),
            shapes[0].parameters + shapes[2].parameters + shapes[3].parameters);

  std::vector<int> fields, jumps;
  for (const auto& shape : shapes)
    fields.push_back(shape.receptive_field), jumps.push_back(shape.jump);
  EXPECT_THAT(fields, ElementsAre(5, 7, 10, 31));
  EXPECT_THAT(jumps, ElementsAre(1, 3, 3, 3));
}

TEST(Spec, ADepthwiseLayerHasOneKernelPerChannel) {
  Layer layer = depthwise(6, 3, 1);
  layer.bias = layer.norm = true;
  const auto shapes = layer_shapes({"m", {conv(6), layer, depthwise(6, 2), linear(10)}});
  EXPECT_EQ(shapes[0].kernel_channels, 1);
  EXPECT_EQ(shapes[1].kernel_channels, 1);
  EXPECT_EQ(shapes[1].in_channels, 6);
  EXPECT_EQ(shapes[1].out_channels, 6);
  EXPECT_EQ(shapes[1].out_side, 26);
  EXPECT_EQ(shapes[1].parameters, 6u * 9 + 3 * 6);
  EXPECT_EQ(shapes[1].macs, 6u * 9 * 26 * 26);
  EXPECT_EQ(shapes[1].receptive_field, 5);
  EXPECT_EQ(shapes[2].parameters, 6u * 4);
  EXPECT_EQ(shapes[2].macs, 6u * 4 * 25 * 25);
  EXPECT_EQ(shapes[3].kernel_channels, 6);
  EXPECT_EQ(layer_shapes({"m", {depthwise(1), linear(10)}})[0].parameters,
            9u);  // of one channel it is a convolution
}

TEST(Spec, JumpsMultiply) {
  const auto shapes = layer_shapes({"m",
                                    {pool(LayerKind::max_pool), pool(LayerKind::max_pool), conv(10),
                                     pool(LayerKind::global_max)}});
  EXPECT_EQ(shapes[1].jump, 4);
  EXPECT_EQ(shapes[1].receptive_field, 4);
  EXPECT_EQ(shapes[2].receptive_field, 12);
  EXPECT_EQ(shapes[3].receptive_field, 28);
}

TEST(Spec, GlobalPoolsSeeTheirWholeInput) {
  for (const LayerKind kind : {LayerKind::global_average, LayerKind::global_max}) {
    const auto shapes = layer_shapes({"m", {conv(10), pool(kind)}});
    EXPECT_EQ(shapes[1].kernel, 26);
    EXPECT_EQ(shapes[1].out_side, 1);
    EXPECT_EQ(shapes[1].receptive_field, 28);
  }
}

TEST(Spec, ErrorsNameTheLayer) {
  const Layer end = pool(LayerKind::global_average);
  EXPECT_THAT(rejection({"m", {}}), HasAll("no layers"));
  EXPECT_THAT(rejection({"m", {conv(0), end}}), HasAll("layer 1 (conv = 0)", "0 output channels"));
  EXPECT_THAT(rejection({"m", {conv(10), conv(10, 3, 2), end}}),
              HasAll("layer 2 (conv = 10)", "padding = 2", "3x3"));
  EXPECT_THAT(rejection({"m", {conv(10, 29), end}}), HasAll("layer 1 (conv = 10)", "29x29"));
  EXPECT_THAT(rejection({"m", {conv(10), pool(LayerKind::max_pool, 0), end}}),
              HasAll("layer 2 (pool = \"max\")", "kernel = 0"));
  EXPECT_THAT(rejection({"m", {conv(10), conv(9), end}}),
              HasAll("layer 3 (pool = \"global_average\")", "got [9][1][1]"));
  EXPECT_THAT(rejection({"m", {conv(10)}}), HasAll("layer 1 (conv = 10)", "got [10][26][26]"));

  EXPECT_THAT(rejection({"m", {conv(12), depthwise(10), end}}),
              HasAll("layer 2 (conv = 10)", "depthwise", "from 12 to 10"));
  EXPECT_THAT(rejection({"m", {depthwise(10), end}}),
              HasAll("layer 1 (conv = 10)", "depthwise", "from 1 to 10"));
  for (Layer other : {linear(10), pool(LayerKind::max_pool), end}) {
    other.depthwise = true;
    EXPECT_THAT(rejection({"m", {conv(10), other, end}}), HasAll("layer 2", "depthwise"));
  }

  Layer normed = end;
  normed.norm = true;
  EXPECT_THAT(rejection({"m", {conv(10), normed}}),
              HasAll("layer 2 (pool = \"global_average\")", "norm"));
  Layer dropped = conv(10);
  for (const double p : {1.0, -0.1, std::nan("")}) {
    dropped.dropout = p;
    EXPECT_THAT(rejection({"m", {dropped, end}}), HasAll("layer 1 (conv = 10)", "dropout = ")) << p;
  }
}

TEST(Spec, OneValuePerChannelAtANormIsRejected) {
  Layer last = conv(10, 28);
  ModelSpec model{"m", {last}};
  EXPECT_NO_THROW(check_norm_slices(model, 1));  // no norm, nothing to reject
  model.layers[0].norm = true;
  EXPECT_NO_THROW(check_norm_slices(model, 2));
  EXPECT_THAT(usage_failure([&] { check_norm_slices(model, 1); }),
              HasAll("layer 1 (conv = 10)", "1 image", "1x1"));
  model.layers = {conv(10), pool(LayerKind::global_average)};
  model.layers[0].norm = true;
  EXPECT_NO_THROW(check_norm_slices(model, 1));  // 26x26 values of one image are enough
}

TEST(Spec, AModelFitsItsData) {
  ModelSpec model{"m", {conv(4), {.kind = LayerKind::linear, .follows_classes = true}}};
  fit_model(model, 64, 26);
  const auto shapes = layer_shapes(model);
  EXPECT_EQ(shapes[0].out_side, 62);
  EXPECT_EQ(shapes[1].out_channels, 26);
  fit_model(model, 64, 5);
  EXPECT_THAT(rejection(model), HasAll("layer 2 (linear = 26)", "expected [5][1][1]"))
      << "a fitted model is fitted once";
}

TEST(Dropout, RuleKeepsTheExpectedValue) {
  EXPECT_EQ(dropout_rule(0).threshold, 0u);
  EXPECT_EQ(dropout_rule(0).scale, 1.0f);
  EXPECT_EQ(dropout_rule(0.5).threshold, 32768u);
  EXPECT_EQ(dropout_rule(0.5).scale, 2.0f);
  EXPECT_EQ(dropout_rule(0.1).threshold, 6554u);  // 6553.6
  for (const double p : {0.07, 0.1, 0.25, 0.9}) {
    const DropoutRule rule = dropout_rule(p);
    EXPECT_NEAR(rule.scale * (65536.0 - rule.threshold) / 65536.0, 1, 1e-7) << p;
  }
  EXPECT_TRUE(std::isfinite(dropout_rule(0.9999999).scale));
}

}  // namespace
}  // namespace mnist_dist
