#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/reference.h"
#include "engine/fused/test_models.h"
#include "engine/test_model.h"

namespace mnist_dist {
namespace {

EngineOptions options_for(const ModelSpec& model, int slice) {
  EngineOptions options;
  options.config.model = model;
  options.config.data.shards = 1;
  options.config.train.batch = slice;
  options.config.train.seed = 0x1234567890abcdefu;
  return options;
}

/// A slice and what it points to.
struct TestSlice {
  Images images;
  std::vector<const std::uint8_t*> pointers;
  std::vector<std::uint32_t> rows;
  Slice slice;
};

/// Like digits, mostly background: on plain noise some channels hardly vary, and float's rounding fills what is left.
TestSlice make_slice(int count) {
  TestSlice test{.images = noise_images(count, 42), .pointers = {}, .rows = {}, .slice = {}};
  for (std::uint8_t& pixel : test.images.pixels) pixel = pixel % 4 == 0 ? pixel : 0;
  for (int i = 0; i < count; ++i) {
    test.pointers.push_back(test.images.image(i));
    test.rows.push_back(static_cast<std::uint32_t>(1000 + 7 * i));
  }
  test.slice = {.images = test.pointers, .labels = test.images.labels, .rows = test.rows, .epoch = 3};
  return test;
}

/// Initial weights, with gammas and betas that are not the 1 and 0 which hide mistakes.
std::vector<float> test_parameters(const ModelSpec& model) {
  const FlatLayout layout = flat_layout(model);
  auto parameters = initial_parameters(layout, 5);
  Stream draws({.seed = 9, .purpose = Purpose::synthetic});
  for (const ParameterTensor& tensor : layout.parameters) {
    const float centre = tensor.kind == ParameterKind::gamma ? 1.0f : 0.0f;
    if (tensor.kind == ParameterKind::gamma || tensor.kind == ParameterKind::beta)
      for (std::size_t i = 0; i < tensor.size; ++i) parameters[tensor.offset + i] = draws.uniform(centre - 0.5f, centre + 0.5f);
  }
  return parameters;
}

double norm_of(std::span<const double> values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

/// Relative to the wanted tensor, or to `least` where that is nearly 0: a bias in front of a norm layer, say.
double relative_error(std::span<const float> got, std::span<const double> wanted, double least = 0) {
  std::vector<double> difference(wanted.begin(), wanted.end());
  for (std::size_t i = 0; i < got.size(); ++i) difference[i] -= static_cast<double>(got[i]);
  return norm_of(difference) / std::max(norm_of(wanted), least);
}

std::vector<float> train(SliceWorker& worker, const Slice& slice, std::span<const float> parameters, const FlatLayout& layout) {
  std::vector<float> out(layout.size(), std::numeric_limits<float>::quiet_NaN());
  worker.train(slice, parameters, out);
  return out;
}

void expect_agreement(const EngineOptions& options, const Slice& slice, const std::string& target, double tolerance) {
  const ModelSpec& model = options.config.model;
  SCOPED_TRACE(model.name + ", " + target + ", slice of " + std::to_string(slice.count()));
  const FlatLayout layout = flat_layout(model);
  const auto parameters = test_parameters(model);
  const auto out = train(*make_fused_worker(options, target), slice, parameters, layout);
  const auto wanted = reference_train(options.config, options.normalisation, slice, std::vector<double>(parameters.begin(), parameters.end()));
  const std::span<const float> got(out);
  const double least = 0.1 * norm_of(wanted.gradient);
  for (const ParameterTensor& tensor : layout.parameters)
    EXPECT_LT(relative_error(got.subspan(tensor.offset, tensor.size), std::span(wanted.gradient).subspan(tensor.offset, tensor.size), least),
              tolerance)
        << "gradient of " << tensor.name;
  for (const NormTensor& norm : layout.norms)
    for (int half = 0; half < 2; ++half) {
      const std::size_t at = norm.offset + static_cast<std::size_t>(half * norm.channels), size = static_cast<std::size_t>(norm.channels);
      EXPECT_LT(relative_error(got.subspan(layout.parameter_count + at, size), std::span(wanted.norm_statistics).subspan(at, size)), tolerance)
          << (half ? "variance" : "mean") << " of layer " << norm.layer + 1;
    }
  EXPECT_NEAR(out[layout.loss()], wanted.loss, 1e-5 * wanted.loss);
  EXPECT_EQ(out[layout.correct()], static_cast<float>(wanted.correct));
  EXPECT_EQ(out[layout.images()], static_cast<float>(slice.count()));
  EXPECT_EQ(out[layout.stop()], 0.0f);
}

class FusedWorker : public testing::TestWithParam<std::string> {};

TEST_P(FusedWorker, AgreesWithTheDefinitionOnTheSeedsModels) {
  const TestSlice test = make_slice(16);
  for (const ModelSpec& model : seed_models()) expect_agreement(options_for(model, 16), test.slice, GetParam(), 1e-4);
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnRandomModels) {
  const TestSlice test = make_slice(5);
  for (std::uint32_t i = 0; i < 16; ++i) {
    EngineOptions options = options_for(random_model(i), 5);
    options.config.train.label_smoothing = i % 2 ? 0.1 : 0.0;
    expect_agreement(options, test.slice, GetParam(), 1e-4);
  }
}

TEST_P(FusedWorker, AgreesWithTheDefinitionOnSlicesOfAnySize) {
  ModelSpec model{.name = "small",
                  .layers = {block(5, 3, 1, true, true, 0.25),
                             {.kind = LayerKind::max_pool, .kernel = 3},
                             block(10, 3, 0, false, false, 0),
                             {.kind = LayerKind::global_average}}};
  for (const int count : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64})
    expect_agreement(options_for(model, 64), make_slice(count).slice, GetParam(), 3e-5);
}

TEST_P(FusedWorker, AgreesWithTheDefinitionUnderEveryAugmentation) {
  const TestSlice test = make_slice(9);
  EngineOptions options = options_for({.name = "small", .layers = {block(6, 5, 0, true, true, 0), block(10, 24, 0, false, false, 0)}}, 9);
  AugmentConfig& augment = options.config.augment;
  augment.crop_scale_min = 0.85;
  augment.crop_ratio_min = 0.75, augment.crop_ratio_max = 1.33;
  expect_agreement(options, test.slice, GetParam(), 3e-5);
  augment.rotation = 7;
  augment.interpolation = Interpolation::nearest;
  expect_agreement(options, test.slice, GetParam(), 3e-5);
  augment = {};
  augment.shift = 2, augment.scale = 0.1, augment.shear = 10;
  augment.elastic_alpha = 1.5;
  augment.erase_probability = 0.5;
  expect_agreement(options, test.slice, GetParam(), 3e-5);
}

TEST_P(FusedWorker, ShortSliceOwesNothingToTheOneBefore) {
  const EngineOptions options = options_for(seed_models()[2], 16);
  const FlatLayout layout = flat_layout(options.config.model);
  auto parameters = test_parameters(options.config.model);
  const TestSlice full = make_slice(16), part = make_slice(5);
  const auto worker = make_fused_worker(options, GetParam());
  const auto fresh = train(*worker, part.slice, parameters, layout);
  auto broken = parameters;
  std::fill(broken.begin(), broken.end(), std::numeric_limits<float>::quiet_NaN());
  train(*worker, full.slice, broken, layout);
  EXPECT_EQ(train(*worker, part.slice, parameters, layout), fresh);
}

TEST_P(FusedWorker, EvaluatesAsTheDefinitionDoesHoweverTheImagesAreCut) {
  const EngineOptions options = options_for(seed_models()[2], 16);
  const FlatLayout layout = flat_layout(options.config.model);
  const auto parameters = test_parameters(options.config.model);
  auto statistics = initial_norm_statistics(layout);
  Stream draws({.seed = 13, .purpose = Purpose::synthetic});
  for (float& value : statistics) value += draws.uniform(0, 0.5f);
  const TestSlice test = make_slice(21);
  const auto worker = make_fused_worker(options, GetParam());
  const WeightsView weights{parameters, statistics};
  std::vector<float> losses(21), losses_in_parts(21);
  std::vector<std::uint8_t> predictions(21), predictions_in_parts(21);
  worker->evaluate(test.images.pixels, test.images.labels, weights, losses, predictions);

  const auto logits = reference_logits(options.config, options.normalisation, test.pointers, parameters, statistics);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto largest = std::max_element(logits[i].begin(), logits[i].end());
    double sum = 0;
    for (const double logit : logits[i]) sum += std::exp(logit - *largest);
    EXPECT_NEAR(losses[i], std::log(sum) + *largest - logits[i][test.images.labels[i]], 1e-4);
    EXPECT_EQ(predictions[i], largest - logits[i].begin());
  }

  for (const std::size_t first : {0u, 9u}) {
    const std::size_t count = first == 0 ? 9 : 12;
    worker->evaluate(std::span(test.images.pixels).subspan(first * image_size, count * image_size),
                     std::span(test.images.labels).subspan(first, count), weights, std::span(losses_in_parts).subspan(first, count),
                     std::span(predictions_in_parts).subspan(first, count));
  }
  EXPECT_EQ(losses_in_parts, losses);
  EXPECT_EQ(predictions_in_parts, predictions);
}

TEST_P(FusedWorker, NotANumberPassesThroughReluAndPool) {
  const EngineOptions options = options_for(seed_models()[0], 4);
  const FlatLayout layout = flat_layout(options.config.model);
  auto parameters = test_parameters(options.config.model);
  parameters[0] = std::numeric_limits<float>::quiet_NaN();
  const TestSlice test = make_slice(4);
  for (const float sign : {1.0f, -1.0f}) {
    parameters[0] = std::copysign(parameters[0], sign);
    EXPECT_TRUE(std::isnan(train(*make_fused_worker(options, GetParam()), test.slice, parameters, layout)[layout.loss()]));
  }
}

TEST_P(FusedWorker, DiagnosisNamesTheFirstLayerThatIsNotFinite) {
  const EngineOptions options = options_for(seed_models()[2], 4);
  const FlatLayout layout = flat_layout(options.config.model);
  const TestSlice test = make_slice(4);
  const auto worker = make_fused_worker(options, GetParam());
  auto parameters = test_parameters(options.config.model);
  EXPECT_FALSE(worker->diagnose(test.slice, parameters));
  const auto find = [&](int layer, ParameterKind kind) {
    return *std::find_if(layout.parameters.begin(), layout.parameters.end(),
                         [&](const ParameterTensor& t) { return t.layer == layer && t.kind == kind; });
  };
  parameters[find(2, ParameterKind::gamma).offset] = 3e38f;  // layer 3 itself is fine, what layer 4 reads of it is not
  auto diagnosis = worker->diagnose(test.slice, parameters);
  ASSERT_TRUE(diagnosis);
  EXPECT_EQ(diagnosis->layer, 3);
  EXPECT_EQ(diagnosis->where, "activation");
  parameters[find(5, ParameterKind::weight).offset] = std::numeric_limits<float>::infinity();
  diagnosis = worker->diagnose(test.slice, parameters);
  ASSERT_TRUE(diagnosis);
  EXPECT_EQ(diagnosis->layer, 5);
  EXPECT_EQ(diagnosis->where, "parameter");
}

INSTANTIATE_TEST_SUITE_P(Targets, FusedWorker, testing::ValuesIn(fused_targets()), [](const auto& test) { return test.param; });

TEST(FusedReference, ItsGradientIsThatOfItsLoss) {
  ModelSpec model = random_model(1);
  EngineOptions options = options_for(model, 3);
  options.config.train.label_smoothing = 0.1;
  const auto single = test_parameters(model);
  std::vector<double> parameters(single.begin(), single.end());
  const TestSlice test = make_slice(3);
  const auto result = reference_train(options.config, options.normalisation, test.slice, parameters);
  for (const ParameterTensor& tensor : flat_layout(model).parameters) {
    const std::size_t i = tensor.offset + tensor.size / 2;
    const double centre = parameters[i], step = 1e-6;
    const auto loss_at = [&](double value) {
      parameters[i] = value;
      const double loss = reference_train(options.config, options.normalisation, test.slice, parameters).loss;
      parameters[i] = centre;
      return loss;
    };
    const double difference = (loss_at(centre + step) - loss_at(centre - step)) / (2 * step);
    EXPECT_NEAR(result.gradient[i], difference, 1e-4 * std::max(1.0, std::abs(difference))) << tensor.name;
  }
}

TEST(FusedTargets, BestFirstAndNearestNameForAWrongOne) {
  EXPECT_EQ(choose_fused_target(""), fused_targets().front());
  EXPECT_EQ(choose_fused_target(fused_targets().back()), fused_targets().back());
  EXPECT_THROW(choose_fused_target("avx9"), Error);
}

}  // namespace
}  // namespace mnist_dist
