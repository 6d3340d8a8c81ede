#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "engine/fused/agreement.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/test_models.h"
#include "engine/test_model.h"
#include "failures.h"

namespace mnist_dist {
namespace {

void expect_the_definition(const EngineOptions& options, int count, const std::string& target) {
  const ModelSpec& model = options.config.model;
  SCOPED_TRACE(model.name + ", " + target + ", slice of " + std::to_string(count));
  const auto parameters = test_parameters(model);
  const TestSlice test = make_decided_slice(options, count, parameters);
  const auto reference = reference_train(options.config, options.normalisation, test.slice(),
                                         std::vector<double>(parameters.begin(), parameters.end()));
  expect_agreement(
      model, train_slice(*make_fused_worker(options, target), model, test.slice(), parameters),
      reference, reference);
}

class FusedWorker : public testing::TestWithParam<std::string> {};

TEST_P(FusedWorker, AgreesWithTheDefinitionOnTheSeedsModels) {
  for (const ModelSpec& model : seed_models())
    expect_the_definition(slice_options(model, 16), 16, GetParam());
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnRandomModels) {
  for (std::uint32_t i = 0; i < 16; ++i) {
    EngineOptions options = slice_options(random_model(i), 5);
    options.config.train.label_smoothing = i % 2 ? 0.1 : 0.0;
    expect_the_definition(options, 5, GetParam());
  }
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnDepthwiseModels) {
  for (std::uint32_t i = 0; i < 8; ++i)
    expect_the_definition(slice_options(depthwise_model(i), 5), 5, GetParam());
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnUncommonShapes) {
  const auto small = [](Layer layer) {
    return ModelSpec{.name = "uncommon",
                     .layers = {layer, {.kind = LayerKind::linear, .channels = 10}}};
  };
  const Layer pool{.kind = LayerKind::max_pool, .kernel = 5};
  ModelSpec wide = small(block(200, 3, 0, true, true, 0.1));
  wide.layers.insert(wide.layers.begin(), {block(2, 4, 0, true, false, 0), pool});
  ModelSpec widening{.name = "widening",
                     .layers = {block(4, 3, 1, true, true, 0), block(40, 3, 1, true, true, 0), pool,
                                block(10, 5, 0, false, false, 0)}};
  const ModelSpec as_large_as_the_image =
      small(block(3, 28, 14, true, true, 0));  // its map is larger than the image
  const ModelSpec even = small(block(3, 2, 1, true, true, 0)),
                  large = small(block(3, 9, 4, true, true, 0));
  for (const ModelSpec& model : {wide, widening, as_large_as_the_image, even, large})
    expect_the_definition(slice_options(model, 3), 3, GetParam());
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnOtherSizesAndClasses) {
  struct {
    int side, classes;
  } const shapes[] = {{7, 2}, {33, 37}, {64, 300}};
  for (const auto& [side, classes] : shapes) {
    ModelSpec model{.name = fmt::format("{} classes of side {}", classes, side),
                    .layers = {block(5, 3, 1, true, true, 0.1),
                               {.kind = LayerKind::max_pool, .kernel = 2},
                               block(6, 3, 1, true, true, 0),
                               {.kind = LayerKind::global_average},
                               {.kind = LayerKind::linear, .bias = true, .follows_classes = true}}};
    fit_model(model, side, classes);
    EngineOptions options = slice_options(model, 5);
    options.config.train.label_smoothing = 0.1;
    options.config.augment.rotation = 10;
    options.config.augment.crop_scale_min = 0.9;
    options.config.augment.elastic_alpha = 1;
    options.config.augment.erase_probability = 0.5;
    expect_the_definition(options, 5, GetParam());
  }
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnSlicesOfAnySize) {
  ModelSpec model{.name = "small",
                  .layers = {block(5, 3, 1, true, true, 0.25),
                             {.kind = LayerKind::max_pool, .kernel = 3},
                             block(10, 3, 0, false, false, 0),
                             {.kind = LayerKind::global_average}}};
  for (const int count : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64})
    expect_the_definition(slice_options(model, 64), count, GetParam());
}

TEST_P(FusedWorker, AgreesWithTheDefinitionUnderEveryAugmentation) {
  EngineOptions options =
      slice_options({.name = "small",
                     .layers = {block(6, 5, 0, true, true, 0), block(10, 24, 0, false, false, 0)}},
                    9);
  AugmentConfig& augment = options.config.augment;
  augment.crop_scale_min = 0.85;
  augment.crop_ratio_min = 0.75, augment.crop_ratio_max = 1.33;
  expect_the_definition(options, 9, GetParam());
  augment.rotation = 7;
  augment.interpolation = Interpolation::nearest;
  expect_the_definition(options, 9, GetParam());
  augment = {};
  augment.shift = 2, augment.scale = 0.1, augment.shear = 10;
  augment.elastic_alpha = 1.5;
  augment.erase_probability = 0.5;
  expect_the_definition(options, 9, GetParam());
}

TEST_P(FusedWorker, ShortSliceOwesNothingToTheOneBefore) {
  const EngineOptions options = slice_options(seed_models()[2], 16);
  const FlatLayout layout = flat_layout(options.config.model);
  auto parameters = test_parameters(options.config.model);
  const TestSlice full = make_slice(16), part = make_slice(5);
  const auto worker = make_fused_worker(options, GetParam());
  const auto fresh = train_slice(*worker, options.config.model, part.slice(), parameters);
  auto broken = parameters;
  std::fill(broken.begin(), broken.end(), std::numeric_limits<float>::quiet_NaN());
  train_slice(*worker, options.config.model, full.slice(), broken);
  EXPECT_EQ(train_slice(*worker, options.config.model, part.slice(), parameters), fresh);
}

/// Three black images, of which no layer overflows, after sixteen white ones, of which the first
/// one would.
TEST_P(FusedWorker, LanesWithoutAnImageHoldNothingThatOverflows) {
  const ModelSpec model{
      .name = "scaled",
      .layers = {block(1, 1, 0, false, false, 0), {.kind = LayerKind::linear, .channels = 10}}};
  EngineOptions options = slice_options(model, 16);
  options.config.augment.rotation = 10;
  std::vector<float> parameters(flat_layout(model).parameter_count, 0.0f);
  const auto worker = make_fused_worker(options, GetParam());
  TestSlice white = make_slice(16), black = make_slice(3);
  std::ranges::fill(white.images.pixels, std::uint8_t{255});
  std::ranges::fill(black.images.pixels, std::uint8_t{0});
  train_slice(*worker, model, white.slice(), parameters);
  parameters[0] = 1.5e38f;
  for (const float value : train_slice(*worker, model, black.slice(), parameters))
    EXPECT_TRUE(std::isfinite(value));
}

void expect_the_definitions_evaluation(const ModelSpec& model, const std::string& target) {
  SCOPED_TRACE(model.name);
  EngineOptions options = slice_options(model, 16);
  options.config.train.label_smoothing = 0.1;  // of training alone
  const FlatLayout layout = flat_layout(options.config.model);
  const auto parameters = test_parameters(options.config.model);
  auto statistics = initial_norm_statistics(layout);
  Stream draws({.seed = 13, .purpose = Purpose::synthetic});
  for (float& value : statistics) value += draws.uniform(0, 0.5f);
  const TestSlice test = make_slice(21), trained_on = make_slice(16);
  const auto worker = make_fused_worker(options, target);
  const auto trained = train_slice(*worker, model, trained_on.slice(), parameters);
  const WeightsView weights{parameters, statistics};
  std::vector<float> losses(21), losses_in_parts(21);
  std::vector<ClassIndex> predictions(21), predictions_in_parts(21);
  std::vector<float> given(21 * class_count);
  worker->evaluate(test.images.pixels, test.images.labels, weights, losses, predictions, given);

  const auto logits = reference_logits(options.config, options.normalisation, test.pointers,
                                       parameters, statistics);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto largest = std::max_element(logits[i].begin(), logits[i].end());
    double sum = 0;
    for (const double logit : logits[i]) sum += std::exp(logit - *largest);
    for (std::size_t c = 0; c < class_count; ++c)
      EXPECT_NEAR(given[i * class_count + c], logits[i][c], 1e-4) << i;
    EXPECT_NEAR(losses[i], std::log(sum) + *largest - logits[i][test.images.labels[i]], 1e-4);
    EXPECT_EQ(predictions[i], largest - logits[i].begin());
  }

  for (const std::size_t first : {0u, 9u}) {
    const std::size_t count = first == 0 ? 9 : 12;
    worker->evaluate(std::span(test.images.pixels).subspan(first * image_size, count * image_size),
                     std::span(test.images.labels).subspan(first, count), weights,
                     std::span(losses_in_parts).subspan(first, count),
                     std::span(predictions_in_parts).subspan(first, count));
  }
  EXPECT_EQ(losses_in_parts, losses);
  EXPECT_EQ(predictions_in_parts, predictions);
  EXPECT_EQ(train_slice(*worker, model, trained_on.slice(), parameters), trained)
      << "evaluating left something behind";
}

TEST_P(FusedWorker, EvaluatesAsTheDefinitionDoesHoweverTheImagesAreCut) {
  expect_the_definitions_evaluation(seed_models()[0], GetParam());
  expect_the_definitions_evaluation(seed_models()[2], GetParam());
  for (std::uint32_t i = 0; i < 4; ++i)
    expect_the_definitions_evaluation(random_model(i), GetParam());
  // Dropout without norm: what training computes, evaluation reads where it lies.
  expect_the_definitions_evaluation({.name = "dropped",
                                     .layers = {block(6, 3, 0, true, false, 0.2),
                                                block(7, 3, 0, true, false, 0.2),
                                                {.kind = LayerKind::max_pool, .kernel = 2},
                                                block(10, 12, 0, false, false, 0)}},
                                    GetParam());
}

/// Black images with one bright pixel below the upper row of its window, under a kernel whose two
/// upper weights are infinite: inf - inf where it meets both, else -inf, which ReLU makes 0.
TEST_P(FusedWorker, NotANumberPassesThroughReluAndPool) {
  EngineOptions options =
      slice_options({.name = "small",
                     .layers = {block(1, 2, 0, true, false, 0),
                                {.kind = LayerKind::max_pool, .kernel = 2},
                                {.kind = LayerKind::linear, .channels = 10, .bias = false}}},
                    4);
  auto parameters = test_parameters(options.config.model);
  parameters[0] = parameters[1] = std::numeric_limits<float>::infinity();
  parameters[2] = parameters[3] = 0;
  TestSlice test = make_slice(4);
  std::fill(test.images.pixels.begin(), test.images.pixels.end(), std::uint8_t{0});
  const auto loss = [&] {
    return train_slice(*make_fused_worker(options, GetParam()), options.config.model, test.slice(),
                       parameters)[flat_layout(options.config.model).loss()];
  };
  EXPECT_TRUE(std::isfinite(loss()));
  test.images.pixels[1 * image_side + 3] = 255;
  EXPECT_TRUE(std::isnan(loss()));
}

TEST_P(FusedWorker, DiagnosisNamesTheFirstLayerThatIsNotFinite) {
  const EngineOptions options = slice_options(seed_models()[2], 4);
  const FlatLayout layout = flat_layout(options.config.model);
  const TestSlice test = make_slice(4);
  const auto worker = make_fused_worker(options, GetParam());
  auto parameters = test_parameters(options.config.model);
  EXPECT_FALSE(worker->diagnose(test.slice(), parameters));
  const auto find = [&](int layer, ParameterKind kind) {
    return *std::find_if(
        layout.parameters.begin(), layout.parameters.end(),
        [&](const ParameterTensor& t) { return t.layer == layer && t.kind == kind; });
  };
  parameters[find(2, ParameterKind::gamma).offset] =
      3e38f;  // layer 3 itself is fine, what layer 4 reads of it is not
  auto diagnosis = worker->diagnose(test.slice(), parameters);
  ASSERT_TRUE(diagnosis);
  EXPECT_EQ(diagnosis->layer, 3);
  EXPECT_EQ(diagnosis->where, "activation");
  parameters[find(5, ParameterKind::weight).offset] = std::numeric_limits<float>::infinity();
  diagnosis = worker->diagnose(test.slice(), parameters);
  ASSERT_TRUE(diagnosis);
  EXPECT_EQ(diagnosis->layer, 5);
  EXPECT_EQ(diagnosis->where, "parameter");
}

TEST_P(FusedWorker, DiagnosisNamesALayerWhoseValuesHaveNoFiniteSquares) {
  const EngineOptions options = slice_options(seed_models()[2], 4);
  auto parameters = test_parameters(options.config.model);
  for (std::size_t i = 0; i < 12 * 9; ++i) parameters[i] *= 1e20f;
  const auto diagnosis =
      make_fused_worker(options, GetParam())->diagnose(make_slice(4).slice(), parameters);
  ASSERT_TRUE(diagnosis);
  EXPECT_EQ(diagnosis->layer, 0);
  EXPECT_EQ(diagnosis->where, "activation");
}

INSTANTIATE_TEST_SUITE_P(Targets, FusedWorker, testing::ValuesIn(fused_targets()),
                         [](const auto& test) { return test.param; });

/// There is no such kind today: what would happen to the first one that only the reference engine
/// knows.
TEST(FusedWorkerOfAnUnknownLayer, NamesTheLayerAndTheOtherEngine) {
  ModelSpec model = linear_model();
  model.layers.insert(model.layers.begin(), {.kind = static_cast<LayerKind>(99)});
  const Error error = failure(ExitCode::usage, [&] {
    make_fused_worker(slice_options(model, 4), fused_targets().front());
  });
  EXPECT_THAT(error.what(), testing::HasSubstr("layer 1"));
  EXPECT_THAT(error.hint(), testing::HasSubstr("--engine torch"));
}

}  // namespace
}  // namespace mnist_dist
