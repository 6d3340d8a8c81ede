#include "engine/torch/torch_worker.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "test_model.h"
#include "torch_reference.h"
#include "torch_test_models.h"

namespace mnist_dist {
namespace {

/// One image after the other from `images`.
struct OwnedSlice {
  std::vector<const std::uint8_t*> images;
  std::vector<ClassIndex> labels;
  std::vector<std::uint32_t> rows;
  OwnedSlice(const Images& source, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      images.push_back(source.image(i));
      labels.push_back(source.labels[static_cast<std::size_t>(i)]);
      rows.push_back(static_cast<std::uint32_t>(source.first_row + i));
    }
  }
  Slice view() const { return {images, labels, rows, 4}; }
};

/// Weights that make every layer's activations and gradients of a size to compare.
std::vector<float> parameters_of(const FlatLayout& layout) {
  std::vector<float> parameters = initial_parameters(layout, 9);
  Stream draws({.seed = 9, .purpose = Purpose::synthetic});
  for (const ParameterTensor& tensor : layout.parameters)
    if (tensor.kind == ParameterKind::gamma || tensor.kind == ParameterKind::beta)
      for (std::size_t i = 0; i < tensor.size; ++i)
        parameters[tensor.offset + i] += draws.uniform(-0.3f, 0.3f);
  return parameters;
}

/// Relative L2 distance.
template <class A, class B>
double distance(const A& a, const B& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[i]} - double{b[i]}, 2);
    size += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / size);
}

void compare_with_reference(const EngineOptions& options, const Slice& slice) {
  const FlatLayout layout = flat_layout(options.config.model);
  const std::vector<float> parameters = parameters_of(layout);
  std::vector<float> out(layout.size(), 123.0f);
  make_torch_worker(options)->train(slice, parameters, out);
  const ReferenceResult expected =
      torch_reference(options, slice, std::vector<double>(parameters.begin(), parameters.end()));

  EXPECT_NEAR(out[layout.loss()], expected.loss, 1e-5 * expected.loss);
  for (const ParameterTensor& tensor : layout.parameters)
    EXPECT_LT(distance(std::span(out).subspan(tensor.offset, tensor.size),
                       std::span(expected.gradient).subspan(tensor.offset, tensor.size)),
              3e-5)
        << tensor.name;
  std::size_t channel = 0;
  for (const NormTensor& norm : layout.norms)
    for (int c = 0; c < norm.channels; ++c, ++channel) {
      const std::size_t mean = layout.parameter_count + norm.offset + static_cast<std::size_t>(c);
      const double n = slice.count();
      EXPECT_NEAR(out[mean], n * expected.means[channel], 1e-4);
      EXPECT_NEAR(out[mean + static_cast<std::size_t>(norm.channels)],
                  n * expected.variances[channel], 1e-5 * n * expected.variances[channel]);
    }
  EXPECT_EQ(channel, expected.means.size());
  EXPECT_EQ(out[layout.images()], slice.count());
  EXPECT_EQ(out[layout.stop()], 0);
}

class EveryModel : public testing::TestWithParam<ModelSpec> {};

TEST_P(EveryModel, GradientsLossAndStatisticsAgreeWithTheReference) {
  const Images images = noise_images(4, 500, GetParam().side, GetParam().classes);
  compare_with_reference(test_options(GetParam()), OwnedSlice(images, 0, 4).view());
}

TEST_P(EveryModel, ShortSliceAugmentationAndLabelSmoothing) {
  EngineOptions options = test_options(GetParam());
  options.config.train.label_smoothing = 0.15;
  options.config.augment.rotation = 15;
  options.config.augment.erase_probability = 0.5;
  const Images images = noise_images(3, 70, GetParam().side, GetParam().classes);
  compare_with_reference(options, OwnedSlice(images, 0, 3).view());
}

INSTANTIATE_TEST_SUITE_P(Torch, EveryModel, testing::ValuesIn(torch_test_models()),
                         [](const auto& model) { return model.param.name; });

/// Backward against nothing but forward: central differences of the reference's loss.
TEST(TorchWorker, GradientIsTheSlopeOfTheLoss) {
  const EngineOptions options = test_options(torch_test_models().front());
  const FlatLayout layout = flat_layout(options.config.model);
  const std::vector<float> parameters = parameters_of(layout);
  const Images images = noise_images(4, 0);
  const OwnedSlice slice(images, 0, 4);
  std::vector<float> out(layout.size());
  make_torch_worker(options)->train(slice.view(), parameters, out);
  const double step = 1e-6;
  for (const ParameterTensor& tensor : layout.parameters) {
    const std::size_t i = tensor.offset + tensor.size / 2;
    std::vector<double> moved(parameters.begin(), parameters.end());
    moved[i] += step;
    const double above = torch_reference(options, slice.view(), moved).loss;
    moved[i] -= 2 * step;
    const double below = torch_reference(options, slice.view(), moved).loss;
    EXPECT_NEAR(out[i], (above - below) / (2 * step), 1e-4 * (1 + std::abs(out[i]))) << tensor.name;
  }
}

TEST(TorchWorker, ShardsAddUpToTheWholeBatchWhereNothingMixesImages) {
  const EngineOptions options =
      test_options({.name = "",
                    .layers = {{.channels = 4, .kernel = 5, .bias = true, .relu = true},
                               {.kind = LayerKind::max_pool, .kernel = 3},
                               {.kind = LayerKind::linear, .channels = 10}}});
  const FlatLayout layout = flat_layout(options.config.model);
  const std::vector<float> parameters = parameters_of(layout);
  const Images images = noise_images(14, 0);
  const auto worker = make_torch_worker(options);
  std::vector<double> sum(layout.size(), 0.0);
  for (const auto& [first, count] : {std::pair{0, 4}, {4, 4}, {8, 4}, {12, 2}}) {
    std::vector<float> out(layout.size());
    worker->train(OwnedSlice(images, first, count).view(), parameters, out);
    for (std::size_t i = 0; i < out.size(); ++i) sum[i] += double{out[i]};
  }
  const ReferenceResult batch =
      torch_reference(options, OwnedSlice(images, 0, 14).view(),
                      std::vector<double>(parameters.begin(), parameters.end()));
  EXPECT_LT(distance(sum, batch.gradient), 1e-5);
  EXPECT_NEAR(sum[layout.loss()], batch.loss, 1e-5 * batch.loss);
  EXPECT_EQ(sum[layout.images()], 14);
}

/// With running statistics equal to a slice's own, population instead of sample variance,
/// evaluation must see what training saw.
TEST(TorchWorker, EvaluationIsTrainingsForwardWithGivenStatistics) {
  ModelSpec model = torch_test_models().front();
  for (Layer& layer : model.layers) layer.dropout = 0;
  const EngineOptions options = test_options(model);
  const FlatLayout layout = flat_layout(model);
  const std::vector<LayerShape> shapes = layer_shapes(model);
  const std::vector<float> parameters = parameters_of(layout);
  const Images images = noise_images(4, 0);
  const auto worker = make_torch_worker(options);
  std::vector<float> out(layout.size());
  worker->train(OwnedSlice(images, 0, 4).view(), parameters, out);

  std::vector<float> statistics(out.begin() + static_cast<std::ptrdiff_t>(layout.parameter_count),
                                out.begin() + static_cast<std::ptrdiff_t>(layout.images()));
  for (const NormTensor& norm : layout.norms) {
    const int side = shapes[static_cast<std::size_t>(norm.layer)].out_side;
    const float values = static_cast<float>(4 * side * side);
    for (int c = 0; c < norm.channels; ++c) {
      statistics[norm.offset + static_cast<std::size_t>(c)] /= 4;
      statistics[norm.offset + static_cast<std::size_t>(norm.channels + c)] *=
          (values - 1) / values / 4;
    }
  }
  std::vector<float> losses(4);
  std::vector<ClassIndex> predictions(4);
  worker->evaluate(images.pixels, images.labels, {parameters, statistics}, losses, predictions);
  EXPECT_NEAR(losses[0] + losses[1] + losses[2] + losses[3], out[layout.loss()], 1e-4);
  int correct = 0;
  for (std::size_t i = 0; i < 4; ++i) correct += predictions[i] == images.labels[i] ? 1 : 0;
  EXPECT_EQ(static_cast<float>(correct), out[layout.correct()]);
}

TEST(TorchWorker, EvaluationNormalisesWithTheStatisticsItIsGiven) {
  const EngineOptions options = test_options(torch_test_models().front());
  const FlatLayout layout = flat_layout(options.config.model);
  const std::vector<float> parameters = parameters_of(layout),
                           statistics = initial_norm_statistics(layout);
  const Images images = noise_images(3, 0);
  const auto worker = make_torch_worker(options);
  std::vector<float> together(3), alone(3);
  std::vector<ClassIndex> predictions(3);
  worker->evaluate(images.pixels, images.labels, {parameters, statistics}, together, predictions);
  for (std::size_t i = 0; i < 3; ++i)
    worker->evaluate(std::span(images.pixels).subspan(i * image_size, image_size),
                     std::span(images.labels).subspan(i, 1), {parameters, statistics},
                     std::span(alone).subspan(i, 1), std::span(predictions).subspan(i, 1));
  EXPECT_THAT(together, testing::Pointwise(testing::FloatNear(1e-4f), alone))
      << "an image's loss depends on its neighbours";
  EXPECT_EQ(statistics, initial_norm_statistics(layout));
}

TEST(TorchWorker, FirstOfEqualLogitsWins) {
  const EngineOptions options = test_options(linear_model());
  const std::vector<float> parameters(flat_layout(options.config.model).parameter_count, 0.0f);
  const Images images = noise_images(2, 0);  // labels 0 and 1
  const auto worker = make_torch_worker(options);
  std::vector<float> losses(2), out(parameters.size() + 4), logits(2 * class_count, 1.0f);
  std::vector<ClassIndex> predictions(2, 9);
  worker->evaluate(images.pixels, images.labels, {parameters, {}}, losses, predictions, logits);
  EXPECT_THAT(logits, testing::Each(0.0f));
  EXPECT_THAT(predictions, testing::ElementsAre(0, 0));
  EXPECT_NEAR(losses[1], std::log(10.0), 1e-6);
  worker->train(OwnedSlice(images, 0, 2).view(), parameters, out);
  EXPECT_EQ(out[parameters.size() + 2], 1);
}

/// conv, norm, max-pool, conv, linear.
struct Diagnosing {
  EngineOptions options =
      test_options({.name = "",
                    .layers = {{.channels = 2, .relu = true, .norm = true},
                               {.kind = LayerKind::max_pool, .kernel = 2},
                               {.channels = 2, .relu = true},
                               {.kind = LayerKind::linear, .channels = 10, .bias = true}}});
  FlatLayout layout = flat_layout(options.config.model);
  std::vector<float> parameters = parameters_of(layout);
  Images images = noise_images(4, 0);

  std::span<float> tensor(int layer, ParameterKind kind) {
    for (const ParameterTensor& candidate : layout.parameters)
      if (candidate.layer == layer && candidate.kind == kind)
        return std::span(parameters).subspan(candidate.offset, candidate.size);
    return {};
  }
  std::optional<Diagnosis> run() {
    return make_torch_worker(options)->diagnose(OwnedSlice(images, 0, 4).view(), parameters);
  }
  std::vector<float> train() {
    std::vector<float> out(layout.size());
    make_torch_worker(options)->train(OwnedSlice(images, 0, 4).view(), parameters, out);
    return out;
  }
  void expect(int layer, const std::string& where) {
    const auto found = run();
    ASSERT_TRUE(found) << where;
    EXPECT_EQ(found->layer, layer);
    EXPECT_EQ(found->where, where);
    EXPECT_THAT(train(), testing::Contains(
                             testing::ResultOf([](float x) { return std::isfinite(x); }, false)));
  }
};

TEST(Diagnose, NothingWhenAllIsFinite) { EXPECT_FALSE(Diagnosing().run()); }

TEST(Diagnose, PlantedNanWeight) {
  for (const int layer : {0, 2, 3}) {
    Diagnosing test;
    test.tensor(layer, ParameterKind::weight)[1] = std::numeric_limits<float>::quiet_NaN();
    test.expect(layer, "parameter");
  }
}

TEST(Diagnose, OverflowingActivation) {
  Diagnosing test;
  std::ranges::fill(test.tensor(2, ParameterKind::weight), 3e38f);
  test.expect(2, "activation");
}

TEST(Diagnose, OverflowingLoss) {
  Diagnosing test;
  const auto bias = test.tensor(3, ParameterKind::bias);
  std::ranges::fill(bias, -3e38f);
  bias[9] = 3e38f;  // no image of this slice is a 9
  test.expect(test.options.config.model.layers.size(), "loss");
}

TEST(Diagnose, OverflowingGradient) {
  Diagnosing test;
  // Layer 2 makes activations of about 1e-38. The last layer blows them up again, and their
  // gradients beyond all bounds.
  for (float& weight : test.tensor(2, ParameterKind::weight)) weight = std::abs(weight) * 1e-38f;
  const auto last = test.tensor(3, ParameterKind::weight);
  std::ranges::fill(last, -3.4e38f);
  std::ranges::fill(last.first(last.size() / class_count), 3.4e38f);
  const auto found = test.run();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->where, "gradient");
  EXPECT_EQ(found->layer, 3);
}

}  // namespace
}  // namespace mnist_dist
