// Backward against nothing but forward: the slope of the definition's loss, in double.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/fused/agreement.h"
#include "engine/fused/fused_engine.h"
#include "engine/fused/test_models.h"

namespace mnist_dist {
namespace {

/// Of length 1, and as long as it is random no error of a gradient is at right angles to it.
std::vector<double> random_direction(std::size_t size, std::uint32_t key) {
  Stream draws({.seed = 21, .purpose = Purpose::synthetic, .row = key});
  std::vector<double> direction(size);
  for (double& value : direction) value = static_cast<double>(draws.uniform(-1, 1));
  const double length = norm_of(direction);
  for (double& value : direction) value /= length;
  return direction;
}

template <class T>
double along(const std::vector<double>& direction, std::span<const T> gradient) {
  double sum = 0;
  for (std::size_t i = 0; i < direction.size(); ++i)
    sum += direction[i] * static_cast<double>(gradient[i]);
  return sum;
}

/// Central differences along one direction per tensor, with steps too short to change a decision of
/// a ReLU or a pool.
void expect_the_slope_of_the_loss(const ModelSpec& model) {
  SCOPED_TRACE(model.name);
  EngineOptions options = slice_options(model, 3);
  options.config.train.label_smoothing = 0.1;
  const auto parameters = test_parameters(model);
  const TestSlice test = make_decided_slice(options, 3, parameters, 3e-5);
  std::vector<double> wide(parameters.begin(), parameters.end());
  const auto reference = reference_train(options.config, options.normalisation, test.slice(), wide);
  std::vector<std::vector<float>> fused;
  for (const std::string& target : fused_targets())
    fused.push_back(
        train_slice(*make_fused_worker(options, target), model, test.slice(), parameters));

  const double step = 1e-6, rounding = 1e-8;  // of the difference of two losses over the step
  for (const ParameterTensor& tensor : flat_layout(model).parameters) {
    SCOPED_TRACE(tensor.name);
    const auto direction = random_direction(tensor.size, static_cast<std::uint32_t>(tensor.offset));
    const auto move_by = [&](double distance) {
      for (std::size_t i = 0; i < tensor.size; ++i)
        wide[tensor.offset + i] =
            static_cast<double>(parameters[tensor.offset + i]) + distance * direction[i];
    };
    const auto loss_at = [&](double distance) {
      move_by(distance);
      return reference_forward(options.config, options.normalisation, test.slice(), wide).loss;
    };
    const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
    move_by(0);
    const std::span wanted(reference.gradient);
    const double size = gradient_scale(reference, tensor);
    EXPECT_NEAR(along(direction, wanted.subspan(tensor.offset, tensor.size)), slope,
                1e-6 * size + rounding);
    for (std::size_t i = 0; i < fused.size(); ++i)
      EXPECT_NEAR(
          along(direction, std::span<const float>(fused[i]).subspan(tensor.offset, tensor.size)),
          slope, tolerance_of(model) * size + rounding)
          << fused_targets()[i];
  }
}

TEST(FiniteDifferences, SeedsModels) {
  for (const ModelSpec& model : seed_models()) expect_the_slope_of_the_loss(model);
}

TEST(FiniteDifferences, RandomModels) {
  for (std::uint32_t i = 0; i < 10; ++i) expect_the_slope_of_the_loss(random_model(i));
}

TEST(FiniteDifferences, DepthwiseModels) {
  for (std::uint32_t i = 0; i < 6; ++i) expect_the_slope_of_the_loss(depthwise_model(i));
}

}  // namespace
}  // namespace mnist_dist
