#include "engine/fused/agreement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/fused/plan.h"
#include "engine/test_model.h"

namespace mnist_dist {
namespace {

double distance(std::span<const float> got, std::span<const double> wanted) {
  std::vector<double> difference(wanted.begin(), wanted.end());
  for (std::size_t i = 0; i < got.size(); ++i) difference[i] -= static_cast<double>(got[i]);
  return norm_of(difference);
}

}  // namespace

double norm_of(std::span<const double> values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

EngineOptions slice_options(const ModelSpec& model, int slice) {
  EngineOptions options;
  options.config.model = model;
  options.config.data.shards = 1;
  options.config.train.batch = slice;
  options.config.train.seed = 0x1234567890abcdefu;
  return options;
}

TestSlice make_slice(int count, int which, const ModelSpec& of) {
  TestSlice test{.images = noise_images(count, 42 + 1000 * which, of.side, of.classes),
                 .pointers = {},
                 .rows = {},
                 .epoch = 3};
  for (std::uint8_t& pixel : test.images.pixels) pixel = pixel % 4 == 0 ? pixel : 0;
  for (int i = 0; i < count; ++i) {
    test.pointers.push_back(test.images.image(i));
    test.rows.push_back(static_cast<std::uint32_t>(1000 * (which + 1) + 7 * i));
  }
  return test;
}

TestSlice make_decided_slice(const EngineOptions& options, int count,
                             std::span<const float> parameters, double margin) {
  const std::vector<double> wide(parameters.begin(), parameters.end());
  for (int which = 0; which < 300; ++which) {
    TestSlice test = make_slice(count, which, options.config.model);
    if (reference_forward(options.config, options.normalisation, test.slice(), wide).least_margin >
        margin)
      return test;
  }
  throw std::runtime_error("no slice of " + std::to_string(count) + " without a near tie for " +
                           options.config.model.name);
}

std::vector<float> test_parameters(const ModelSpec& model) {
  const FlatLayout layout = flat_layout(model);
  auto parameters = initial_parameters(layout, 5);
  Stream draws({.seed = 9, .purpose = Purpose::synthetic});
  for (const ParameterTensor& tensor : layout.parameters) {
    const float centre = tensor.kind == ParameterKind::gamma ? 1.0f : 0.0f;
    if (tensor.kind == ParameterKind::gamma || tensor.kind == ParameterKind::beta)
      for (std::size_t i = 0; i < tensor.size; ++i)
        parameters[tensor.offset + i] = draws.uniform(centre - 0.5f, centre + 0.5f);
  }
  return parameters;
}

double tolerance_of(const ModelSpec& model) {
  bool winograd = false, average = false;
  for (const fused::LayerPlan& layer : fused::make_plan(model)) {
    winograd |= layer.algorithm == fused::Algorithm::winograd;
    average |= layer.layer.kind == LayerKind::global_average;
  }
  // Sums run over all pixels of a map: 1.8e-4 was seen at a side of 64.
  const double pixels = std::max(1.0, model.side * model.side / (28.0 * 28.0));
  if (winograd) return 1e-4 * pixels;
  // The gradient of an average is one value for hundreds of pixels. A running sum over all of them
  // rounds in the same direction each time, and norm's gradient is what such sums leave of it: up
  // to 4e-5 in the first ten random models and 1.0e-4 in one of the others. Sums by rows would do
  // 3e-5.
  return (average ? 1.2e-4 : 3e-5) * pixels;
}

double gradient_scale(const ReferenceResult& reference, const ParameterTensor& tensor) {
  const double own = norm_of(std::span(reference.gradient).subspan(tensor.offset, tensor.size)),
               whole = norm_of(reference.gradient);
  return own < 1e-9 * whole ? whole : own;
}

void expect_agreement(const ModelSpec& model, std::span<const float> got,
                      const ReferenceResult& wanted, const ReferenceResult& reference) {
  const FlatLayout layout = flat_layout(model);
  const double tolerance = tolerance_of(model);
  for (const ParameterTensor& tensor : layout.parameters) {
    const auto part = std::span(wanted.gradient).subspan(tensor.offset, tensor.size);
    EXPECT_LT(
        distance(got.subspan(tensor.offset, tensor.size), part) / gradient_scale(reference, tensor),
        tolerance)
        << "gradient of " << tensor.name << ", "
        << gradient_scale(reference, tensor) / norm_of(reference.gradient) << " of the whole";
  }
  for (const NormTensor& norm : layout.norms)
    for (int half = 0; half < 2; ++half) {
      const std::size_t at = norm.offset + static_cast<std::size_t>(half * norm.channels),
                        size = static_cast<std::size_t>(norm.channels);
      const auto part = std::span(wanted.norm_statistics).subspan(at, size);
      EXPECT_LT(distance(got.subspan(layout.parameter_count + at, size), part) / norm_of(part),
                tolerance)
          << (half ? "variance" : "mean") << " of layer " << norm.layer + 1;
    }
  EXPECT_NEAR(static_cast<double>(got[layout.loss()]), wanted.loss, 1e-5 * wanted.loss);
  EXPECT_EQ(got[layout.correct()], static_cast<float>(wanted.correct));
  EXPECT_EQ(got[layout.images()], static_cast<float>(reference.logits.size()));
  EXPECT_EQ(got[layout.stop()], 0.0f);
}

std::vector<float> train_slice(SliceWorker& worker, const ModelSpec& model, const Slice& slice,
                               std::span<const float> parameters) {
  std::vector<float> out(flat_layout(model).size(), std::numeric_limits<float>::quiet_NaN());
  worker.train(slice, parameters, out);
  return out;
}

}  // namespace mnist_dist
